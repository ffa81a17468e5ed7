"""The migrations lead to the tables that the rooms' stores are written against, data and all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, String, Table, Text, select, text
from sqlalchemy.dialects import postgresql

from tests.support.postgres import fresh_database
from wharfinger.database import migrate, migrations
from wharfinger.database.schema import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fresh.db'}"
    else:
        with fresh_database("template1") as fresh:
            yield fresh


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = migrate.engine_of(url)
    yield engine
    engine.dispose()


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def revisions_of(name: str) -> tuple[str, str]:
    """The revision whose script has this name, and the one before."""
    found = next(one for one in scripts().walk_revisions() if one.path.endswith(f"{name}.py"))
    return found.revision, str(found.down_revision)


def upgrade(connection: Connection, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def made_of(connection: Connection) -> set[tuple[str, ...]]:
    """What Alembic does not compare: hidden row ids on SQLite, collations on PostgreSQL."""
    queries = {
        "sqlite": (
            "SELECT name, CASE WHEN sql LIKE '%WITHOUT ROWID%' THEN 'bare' ELSE '' END "
            "FROM sqlite_master WHERE type = 'table'"
        ),
        "postgresql": (
            "SELECT table_name, column_name, data_type, COALESCE(collation_name, '') "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        ),
    }
    found = connection.exec_driver_sql(queries[connection.dialect.name])
    return {tuple(row) for row in found}


def test_migrated_database_equals_the_metadata(engine: Engine) -> None:
    with engine.connect() as connection:
        upgrade(connection, "head")

        assert not differences(connection)


def test_database_made_at_once_equals_the_migrated_one(url: str, engine: Engine) -> None:
    migrate.upgrade(url)
    with engine.connect() as connection:
        at_once = made_of(connection)
        assert not differences(connection)
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
        upgrade(connection, "head")

        assert made_of(connection) == at_once


def test_older_database_is_migrated(url: str, engine: Engine) -> None:
    with engine.connect() as connection:
        upgrade(connection, "0001")

    assert migrate.upgrade(url)

    with engine.connect() as connection:
        assert not differences(connection)


def test_head_is_that_of_the_scripts() -> None:
    assert scripts().get_heads() == [migrations.HEAD]


def test_an_upgraded_database_needs_nothing_more(url: str) -> None:
    assert migrate.upgrade(url)
    assert not migrate.upgrade(url)


def test_policies_of_a_namespace_get_the_region_of_their_deployment(engine: Engine) -> None:
    rows = [("p1", "team"), ("p2", ""), ("p3", "gone")]
    with engine.connect() as connection:
        upgrade(connection, "0001")
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
        upgrade(connection, "0002")
        found = connection.exec_driver_sql("SELECT id, region FROM policies ORDER BY id").all()

    assert [tuple(row) for row in found] == [("p1", "home"), ("p2", "")]


def test_manifests_from_before_tell_their_config_and_layers(engine: Engine) -> None:
    image = '{"config": {"digest": "sha256:c", "size": 2}, "layers": [{"size": 3}, {"size": 4}]}'
    with engine.connect() as connection:
        upgrade(connection, "0004")
        connection.exec_driver_sql(
            "INSERT INTO repositories (id, region, account_id, namespace, name, created_at) "
            "VALUES (7, 'home', 'a', 'team', 'team/app', 0)"
        )
        for digest, content in [("m1", image), ("m2", image), ("m3", "no JSON")]:
            connection.execute(
                text(
                    "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, "
                    "annotations, content, pushed_at) "
                    "VALUES (7, :digest, '', '', '{}', :content, 0)"
                ),
                {"digest": digest, "content": content.encode()},
            )
        connection.exec_driver_sql(
            "INSERT INTO manifest_references VALUES (7, 'm1', 'sha256:c', 'blob')"
        )
        connection.commit()

        upgrade(connection, "0005")

        query = "SELECT digest, config, layers_size FROM manifests ORDER BY digest"
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert found == [("m1", "sha256:c", 7), ("m2", None, 7), ("m3", None, 0)]


def test_usage_begins_with_what_is_there(engine: Engine) -> None:
    repositories = [(1, "a", "team/app"), (2, "a", "team/web"), (3, "b", "other/app")]
    links = [(1, "d1"), (2, "d1"), (2, "d2"), (3, "d1")]
    with engine.connect() as connection:
        revision, before = revisions_of("usage_is_counted")
        upgrade(connection, before)
        for account, plan in (("a", "unlimited"), ("b", "free")):
            connection.exec_driver_sql(
                f"INSERT INTO accounts VALUES ('{account}', '{account}', '{plan}', 0)"
            )
        for key, account, name in repositories:
            connection.exec_driver_sql(
                "INSERT INTO repositories (id, region, account_id, namespace, name, created_at) "
                f"VALUES ({key}, 'home', '{account}', 'n', '{name}', 0)"
            )
        for digest, size in (("d1", 10), ("d2", 5)):
            connection.exec_driver_sql(
                "INSERT INTO blobs (digest, size, location, created_at) "
                f"VALUES ('{digest}', {size}, '{digest}', 0)"
            )
        for repository, digest in links:
            connection.exec_driver_sql(
                f"INSERT INTO repository_blobs VALUES ({repository}, '{digest}', 0)"
            )
        connection.commit()
        upgrade(connection, revision)

        counted = connection.exec_driver_sql(
            "SELECT account_id, digest, size, links FROM account_blobs ORDER BY 1, 2"
        ).all()
        used = connection.exec_driver_sql(
            "SELECT account_id, plan, stored FROM account_usage ORDER BY 1"
        ).all()

    assert [tuple(row) for row in counted] == [
        ("a", "d1", 10, 2),
        ("a", "d2", 5, 1),
        ("b", "d1", 10, 1),
    ]
    assert [tuple(row) for row in used] == [("a", "standard", 15), ("b", "free", 10)]


def test_uploads_under_way_go_on_after_the_upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        upgrade(connection, "0003")
        connection.exec_driver_sql(
            "INSERT INTO uploads VALUES ('u', 'local', 'a', 'team/app', 'x', 9, 0.0, 1, 0, 0)"
        )
        connection.commit()
        upgrade(connection, "0004")
        found = connection.exec_driver_sql("SELECT size, state FROM uploads").all()

    assert [tuple(row) for row in found] == [(9, "")]


def test_what_is_in_every_table_stays_from_the_first_revision_on(engine: Engine) -> None:
    written: dict[str, dict[str, Any]] = {}
    with engine.connect() as connection:
        for script in reversed(list(scripts().walk_revisions())):
            upgrade(connection, script.revision)
            tables = _tables(connection)
            for table in tables:
                if table.name in written:
                    _require_kept(connection, table, written[table.name])
                    continue
                # What a revision itself derived from the rows of others stays likewise.
                derived = connection.execute(select(table)).mappings().first()
                written[table.name] = row = dict(derived) if derived else _row(table)
                if derived is None:
                    connection.execute(table.insert(), row)
            connection.commit()

    assert set(written) == set(metadata.tables)


def _tables(connection: Connection) -> list[Table]:
    reflected = MetaData()
    reflected.reflect(connection)
    return [table for table in reflected.sorted_tables if table.name != "alembic_version"]


def _row(table: Table) -> dict[str, Any]:
    """A value for each column; equal for equal types, so that rows refer to each other."""
    values: dict[type, Any] = {str: "n", int: 1, float: 1.0, bytes: b"n", bool: True}
    return {column.name: values[column.type.python_type] for column in table.columns}


def _require_kept(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    found = connection.execute(select(table)).mappings().all()
    assert len(found) == 1, table.name
    kept = {name: value for name, value in found[0].items() if name in row}
    assert kept == {name: row[name] for name in kept}


def test_a_database_of_a_newer_version_is_refused(url: str, engine: Engine) -> None:
    migrate.upgrade(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.SchemaUnknown, match="newer version"):
        migrate.upgrade(url)


def test_short_texts_are_compared_by_their_bytes_everywhere() -> None:
    """Otherwise PostgreSQL goes by the language of its database; `metadata.Key` sees to it."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    lacking = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String)
        and not isinstance(column.type, Text)
        and "COLLATE" not in column.type.compile(dialect)
    ]

    assert not lacking


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_so_they_are_in_a_migrated_database(url: str, engine: Engine) -> None:
    migrate.upgrade(url)
    query = (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'character varying' "
        "AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
    )
    with engine.connect() as connection:
        assert connection.exec_driver_sql(query).all() == []
