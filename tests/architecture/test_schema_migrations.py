"""The migrations lead to the tables that the rooms' stores are written against."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from wharfinger.database import migrate, migrations
from wharfinger.database.schema import metadata


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'fresh.db'}"


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)


def test_migrated_database_equals_the_metadata(url: str) -> None:
    migrate.upgrade(url)

    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert not differences


def test_head_is_that_of_the_scripts() -> None:
    assert scripts().get_heads() == [migrations.HEAD]


def test_an_upgraded_database_needs_nothing_more(url: str) -> None:
    assert migrate.upgrade(url)
    assert not migrate.upgrade(url)


def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    migrate.upgrade(url)
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.SchemaUnknown, match="newer version"):
        migrate.upgrade(url)
