"""The clusters table; times in Unix seconds (UTC), workers as JSON: they are read as a whole."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

clusters: Final = Table(
    "clusters",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Key(253), nullable=False),
    Column("ident", Key(253), nullable=False),
    Column("registered_at", Seconds, nullable=False),
    Column("registered_by", Key(64), nullable=False),
    Column("worker_count", Integer, nullable=False),
    Column("workers", Text, nullable=False),
    Column("deleted", Text, nullable=False),
    UniqueConstraint("account_id", "name"),
)
