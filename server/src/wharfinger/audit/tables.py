"""The audit table; times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, Text

from wharfinger.database.metadata import BigKey, metadata

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("account_id", String(32), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(512), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "account_id", "id"),
)
