"""The one place that knows which INSERT can deal with conflicts on which database."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT into ``table`` that offers ``on_conflict_do_...``."""
    # PostgreSQL's dialect would cost the embedded service's cold start a sixth.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def one_writer(connection: Connection) -> bool:
    """Whether the database runs one writing unit at a time, so that none needs to hold rows."""
    return connection.dialect.name == "sqlite"
