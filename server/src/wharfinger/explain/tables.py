"""The table of refused requests; times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import Column, Index, Table, Text

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

refusals: Final = Table(
    "refusals",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("request_id", Key(64), nullable=False, unique=True),
    Column("at", Seconds, nullable=False, index=True),
    Column("region", Key(64), nullable=False),
    Column("account_id", Key(64), nullable=False),
    Column("owner_id", Key(64), nullable=False),
    Column("subject", Key(64), nullable=False),
    Column("credential", Key(64), nullable=False),
    Column("code", Key(16), nullable=False),
    Column("method", Key(16), nullable=False),
    Column("path", Key(512), nullable=False),
    # JSON: what the path named, the refusal's facts, and the rule that answered ('null': none).
    Column("names", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Index(None, "account_id", "id"),
)
