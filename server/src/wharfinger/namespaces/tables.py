"""The namespaces table; times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

namespaces: Final = Table(
    "namespaces",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Key(30), nullable=False),
    Column("state", Key(16), nullable=False),
    Column("resource_group", Key(64), nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint("region", "name"),
    Index(None, "region", "account_id"),
)
