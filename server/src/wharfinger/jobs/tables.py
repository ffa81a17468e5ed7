"""The jobs table; times in Unix seconds (UTC), leases with fractions."""

from typing import Final

from sqlalchemy import Column, Float, Index, Integer, Table, Text, UniqueConstraint

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

# One row a piece of work that is not done; a row goes when its work is.
jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("kind", Key(64), nullable=False),
    Column("subject", Key(255), nullable=False),
    Column("payload", Text, nullable=False),
    Column("run_at", Float, nullable=False),
    Column("leased_until", Float, nullable=False),
    Column("lease_owner", Key(64), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("created_at", Seconds, nullable=False),
    UniqueConstraint("kind", "subject"),
    Index(None, "run_at"),
)
