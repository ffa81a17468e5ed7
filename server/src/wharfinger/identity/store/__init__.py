"""The SQLAlchemy Core adapter of identity's ports, for SQLite and PostgreSQL."""

from wharfinger.identity.store.sql import SqlStore

__all__ = ["SqlStore"]
