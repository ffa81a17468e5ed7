"""The namespaces table; times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from wharfinger.database.metadata import BigKey, metadata

namespaces: Final = Table(
    "namespaces",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("region", String(32), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", String(30), nullable=False),
    Column("state", String(16), nullable=False),
    Column("resource_group", String(64), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    UniqueConstraint("region", "name"),
    Index(None, "region", "account_id"),
)
