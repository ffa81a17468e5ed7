"""The SQLAlchemy Core adapter of identity's ports, for SQLite and PostgreSQL."""

from wharfinger.identity.store.sql import Recorder, SqlStore

__all__ = ["Recorder", "SqlStore"]
