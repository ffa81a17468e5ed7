"""Bring a database's schema to the newest revision, and tell which one it has."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from wharfinger.database.migrations import HEAD
from wharfinger.database.urls import embedded_path
from wharfinger.settings import shown
from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

PREPARATION_SECONDS: Final = 600.0
"""How long a node waits for another one to finish a migration."""

_POLL_SECONDS: Final = 0.2
_LOCK: Final = 0x5748_4152_4649_4E47  # "WHARFING"


class SchemaUnknown(RuntimeError):
    """The database has a revision that this version does not know: it is from a newer one."""


class DatabaseAway(RuntimeError):
    """The database does not answer; the text repeats what the driver said."""


class DatabaseUnusable(RuntimeError):
    """The database answers with an error where its schema is looked at or made."""


class DatabaseLost(RuntimeError):
    """The database is empty where the data folder tells of one that was not."""


class PreparationBusy(RuntimeError):
    """Another node has been preparing the database for too long."""


class SchemaDiffers(Refusal):
    """The database's schema is not the one that this version works with."""

    entry = entries.SCHEMA_DIFFERS


def require_head(connection: Connection) -> None:
    """Return if the schema is this version's.

    Raises:
        SchemaDiffers: it is an older or a newer one.
    """
    found = revision(connection)
    if found != HEAD:
        raise SchemaDiffers(found=found or Text("of no version"), wanted=HEAD)


def revision(connection: Connection) -> str | None:
    """Return the schema revision of the database, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(url: str, *, known: bool = False) -> bool:
    """Migrate the database at ``url`` to `HEAD`; return whether anything had to be done.

    Safe to call again after it died half way. Only one process may call it at a time for one
    database: the supervisor holds the data folder's lock, and with PostgreSQL `exclusively`.
    ``known``: it held a service before, so that an empty one must be another.

    Raises:
        DatabaseLost: it is known, and empty.
        SchemaUnknown: the database was written by a newer version.
        DatabaseUnusable: it is none, or says no; the text repeats what the driver said.
    """
    _require_writable(url)
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
            if found == HEAD:
                return False
            empty = found is None and not inspect(connection).get_table_names()
        if known and empty:
            raise DatabaseLost(
                f"the database {engine.url.render_as_string()} is empty, but a service has run on "
                "this data folder: put the database back from a backup, correct its URL "
                "(database_url), or begin anew in an empty folder"
            )
        (_create if empty else _upgrade)(engine)
    except DBAPIError as error:
        raise DatabaseUnusable(
            f"the database {engine.url.render_as_string()} cannot be used: {error.orig}; see that "
            "it is there, is a database and may be written, or name another one (database_url)"
        ) from error
    finally:
        engine.dispose()
    return True


def _require_writable(url: str) -> None:
    """Refuse an embedded database that could be read only: that would serve, and fail in writes."""
    path = embedded_path(url)
    if path is None:
        return
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and not os.access(file, os.W_OK):
            raise DatabaseUnusable(
                f"the database {url} cannot be used: {file} cannot be written; run the service as "
                "the user that owns it, or name another one (database_url)"
            )


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
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")  # noqa: S608 - a constant
        connection.commit()


@contextmanager
def exclusively(url: str, wait: float) -> Iterator[None]:
    """Let one node at a time prepare the database at ``url``.

    Waits ``wait`` seconds for the database and `PREPARATION_SECONDS` for other nodes. An embedded
    database is its node's own: there the data folder's lock is enough.

    Raises:
        DatabaseAway: the database did not answer in time.
        DatabaseUnusable: it never will, as its URL is wrong.
        PreparationBusy: another node had the lock for too long.
    """
    if embedded_path(url) is not None:
        yield
        return
    engine = engine_of(url)
    try:
        with _connected(engine, wait).execution_options(isolation_level="AUTOCOMMIT") as connection:
            _lock(connection)
            # The lock ends with the session: also when this process dies.
            yield
    finally:
        engine.dispose()


def engine_of(url: str) -> Engine:
    """Return an engine for preparing the database at ``url``; the caller disposes of it.

    Raises:
        DatabaseUnusable: the URL is malformed.
    """
    if embedded_path(url) is not None:
        return create_engine(url)
    from psycopg import ProgrammingError

    from wharfinger.database.postgres import unbounded_engine

    try:
        return unbounded_engine(url)
    except ProgrammingError as error:
        said = shown("database_url", str(error).strip())
        raise DatabaseUnusable(
            f"database_url: it leads to no database: {said}; correct it (WHARFINGER_DATABASE_URL)"
        ) from error


def _connected(engine: Engine, wait: float) -> Connection:
    deadline = time.monotonic() + wait
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if time.monotonic() >= deadline:
                said = str(error.orig).partition("\n")[0]
                raise DatabaseAway(
                    f"the database does not answer: {said}; see that it runs, and that this is "
                    "its URL (WHARFINGER_DATABASE_URL)"
                ) from error
        time.sleep(_POLL_SECONDS)


def _lock(connection: Connection) -> None:
    deadline = time.monotonic() + PREPARATION_SECONDS
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
        if time.monotonic() >= deadline:
            raise PreparationBusy(
                "another node is preparing the database; wait for it to start, or stop it"
            )
        time.sleep(_POLL_SECONDS)


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
