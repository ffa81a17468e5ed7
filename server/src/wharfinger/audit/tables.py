"""The audit table; times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import Column, Index, Table, Text

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("at", Seconds, nullable=False),
    Column("account_id", Key(32), nullable=False),
    Column("actor", Key(64), nullable=False),
    Column("action", Key(64), nullable=False),
    Column("target", Key(512), nullable=False),
    Column("request_id", Key(64), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "account_id", "id"),
)
