"""Bring a database's schema to the newest revision, and tell which one it has."""

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, inspect, text

from wharfinger.database.migrations import HEAD


class SchemaUnknown(RuntimeError):
    """The database has a revision that this version does not know: it is from a newer one."""


def revision(connection: Connection) -> str | None:
    """Return the schema revision of the database, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(url: str) -> bool:
    """Migrate the database at ``url`` to `HEAD`; return whether anything had to be done.

    Safe to call again after it died half way. Only one process may call it at a time for one
    database (the supervisor holds the data folder's lock).

    Raises:
        SchemaUnknown: the database was written by a newer version.
    """
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
            if found == HEAD:
                return False
            empty = found is None and not inspect(connection).get_table_names()
        (_create if empty else _upgrade)(engine)
    finally:
        engine.dispose()
    return True


def _create(engine: Engine) -> None:
    """Give an empty database the newest tables at once, without loading Alembic.

    Right as long as migrations bring along what is there and add nothing of their own; a test
    holds both ways to the same result.
    """
    from wharfinger.database.schema import metadata

    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # The driver would begin at the first row, and leave half a schema when it dies before.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")  # noqa: S608 - a constant
        connection.commit()


def _upgrade(engine: Engine) -> None:
    # Alembic takes a third of a cold start to import; most starts find nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SchemaUnknown(
                "the database was written by a newer version of the service; "
                "start that version, or restore a backup from before the upgrade"
            ) from error
        connection.commit()
