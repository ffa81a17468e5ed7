"""The adapter that the settings name; the only place that chooses one."""

from typing import TYPE_CHECKING

from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.database.unit import Database, DatabaseObserver, Unobserved
from wharfinger.database.urls import embedded_path
from wharfinger.settings import Settings

if TYPE_CHECKING:
    from wharfinger.database.postgres import Limits


def open_database(settings: Settings, observer: DatabaseObserver | None = None) -> Database:
    """Return the database of ``settings.database``; connects when it is first used."""
    observer = observer or Unobserved()
    path = embedded_path(settings.database)
    if path is not None:
        return SqliteDatabase(path, readers=settings.threads, observer=observer)
    # Driver and dialect are not the embedded service's cost.
    from wharfinger.database.postgres import PostgresDatabase

    return PostgresDatabase(settings.database, limits_of(settings), observer)


def limits_of(settings: Settings) -> "Limits":
    """Return the bounds that the settings put on PostgreSQL's connections and units."""
    from wharfinger.database.postgres import Limits

    return Limits(
        connections=settings.database_connections,
        wait=settings.database_wait_seconds,
        statement=settings.database_statement_seconds,
        lock=settings.database_lock_seconds,
        idle=settings.database_idle_seconds,
    )
