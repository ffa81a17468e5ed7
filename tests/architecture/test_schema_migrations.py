"""The migrations lead to the tables that the rooms' stores are written against."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
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


def run_migrations(url: str, revision: str) -> None:
    """Runs the scripts themselves, as an older database would need them."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with create_engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def differences(url: str) -> list[Any]:
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def storage(url: str) -> set[tuple[str, bool]]:
    """Which tables have no hidden row id: not a thing that Alembic compares."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    with create_engine(url).connect() as connection:
        found = connection.exec_driver_sql(query).all()
    return {(name, "WITHOUT ROWID" in sql) for name, sql in found}


def test_migrated_database_equals_the_metadata(url: str) -> None:
    run_migrations(url, "head")

    assert not differences(url)


def test_database_made_at_once_equals_the_migrated_one(url: str, tmp_path: Path) -> None:
    migrated = f"sqlite:///{tmp_path / 'migrated.db'}"
    run_migrations(migrated, "head")

    migrate.upgrade(url)

    assert not differences(url)
    assert storage(url) == storage(migrated)


def test_older_database_is_migrated(url: str) -> None:
    run_migrations(url, "0001")

    assert migrate.upgrade(url)

    assert not differences(url)


def test_head_is_that_of_the_scripts() -> None:
    assert scripts().get_heads() == [migrations.HEAD]


def test_an_upgraded_database_needs_nothing_more(url: str) -> None:
    assert migrate.upgrade(url)
    assert not migrate.upgrade(url)


def test_policies_of_a_namespace_get_the_region_of_their_deployment(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    rows = [("p1", "team"), ("p2", ""), ("p3", "gone")]
    with create_engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO accounts VALUES ('a', 'a', 'free', 0)")
        connection.exec_driver_sql(
            "INSERT INTO namespaces (region, account_id, name, state, resource_group, created_at, "
            "updated_at) VALUES ('home', 'a', 'team', 'active', '', 0, 0)"
        )
        for policy, namespace in rows:
            connection.exec_driver_sql(
                f"INSERT INTO policies VALUES ('{policy}', 'a', 'x', 'Reader', '{namespace}', 0)"
            )
        connection.commit()
        command.upgrade(config, "0002")
        found = connection.exec_driver_sql("SELECT id, region FROM policies ORDER BY id").all()

    assert [tuple(row) for row in found] == [("p1", "home"), ("p2", "")]


def test_manifests_from_before_tell_their_config_and_layers(url: str) -> None:
    run_migrations(url, "0004")
    image = '{"config": {"digest": "sha256:c", "size": 2}, "layers": [{"size": 3}, {"size": 4}]}'
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO repositories (id, region, account_id, namespace, name, created_at) "
            "VALUES (7, 'home', 'a', 'team', 'team/app', 0)"
        )
        for digest, content in [("m1", image), ("m2", image), ("m3", "no JSON")]:
            connection.exec_driver_sql(
                "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, "
                "annotations, content, pushed_at) VALUES (7, ?, '', '', '{}', ?, 0)",
                (digest, content.encode()),
            )
        connection.exec_driver_sql(
            "INSERT INTO manifest_references VALUES (7, 'm1', 'sha256:c', 'blob')"
        )

    run_migrations(url, "0005")

    with create_engine(url).connect() as connection:
        query = "SELECT digest, config, layers_size FROM manifests ORDER BY digest"
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert found == [("m1", "sha256:c", 7), ("m2", None, 7), ("m3", None, 0)]


def test_uploads_under_way_go_on_after_the_upgrade(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with create_engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql(
            "INSERT INTO uploads VALUES ('u', 'local', 'a', 'team/app', 'x', 9, 0.0, 1, 0, 0)"
        )
        connection.commit()
        command.upgrade(config, "0004")
        found = connection.exec_driver_sql("SELECT size, state FROM uploads").all()

    assert [tuple(row) for row in found] == [(9, "")]


def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    migrate.upgrade(url)
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.SchemaUnknown, match="newer version"):
        migrate.upgrade(url)
