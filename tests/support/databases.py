"""The databases that contract suites and races run on; another one joins with a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from tests.support.postgres import fresh_database
from wharfinger.database.postgres import Limits, PostgresDatabase
from wharfinger.database.schema import metadata
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.database.unit import Database

LIMITS = Limits(connections=12, wait=20, statement=30, lock=20, idle=60)


@contextmanager
def sqlite_database(folder: Path) -> Iterator[Database]:
    path = folder / "test.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        # The schema of a test need not survive a power failure.
        connection.exec_driver_sql("PRAGMA synchronous=OFF")
        metadata.create_all(connection)
        connection.commit()
    engine.dispose()
    database = SqliteDatabase(path)
    yield database
    database.close()


@contextmanager
def postgresql_database(_folder: Path) -> Iterator[Database]:
    with fresh_database() as url:
        database = PostgresDatabase(url, LIMITS)
        try:
            yield database
        finally:
            database.close()


OpenDatabase = Callable[[Path], AbstractContextManager[Database]]
DATABASES: Mapping[str, OpenDatabase] = {
    "sqlite": sqlite_database,
    "postgresql": postgresql_database,
}
