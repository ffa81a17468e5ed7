"""Tables of quotas; sizes in bytes, times in Unix seconds (UTC), months as YYYY-MM."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Double, Float, Index, Integer, Table

from wharfinger.database.metadata import Key, Seconds, metadata

DIGEST_LENGTH: Final = 135

# One row an account in a region, added when it is first needed. Own limits are NULL where the
# plan's alone counts. ``stored`` bytes since ``stored_since``; ``byte_seconds`` until then, within
# ``month``. A hot row where a database runs units side by side: lock it last (store.charges).
account_usage: Final = Table(
    "account_usage",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("account_id", Key(32), primary_key=True),
    Column("plan", Key(32), nullable=False),
    Column("storage_limit", BigInteger),
    Column("traffic_limit", BigInteger),
    Column("stored", BigInteger, nullable=False),
    Column("stored_since", Seconds, nullable=False),
    Column("month", Key(7), nullable=False),
    Column("byte_seconds", Double, nullable=False),
    Index(None, "month"),
    sqlite_with_rowid=False,
)

# The distinct blobs of an account in a region, with how many of its repositories show each.
account_blobs: Final = Table(
    "account_blobs",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("account_id", Key(32), primary_key=True),
    Column("digest", Key(DIGEST_LENGTH), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("links", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What was stored (months that ended) and downloaded (the present one too).
usage_months: Final = Table(
    "usage_months",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("account_id", Key(32), primary_key=True),
    Column("month", Key(7), primary_key=True),
    Column("byte_seconds", Double, nullable=False),
    Column("traffic", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What uploads under way will need, for accounts with a limit; counts until ``leased_until``.
# ``admitted``: it began while there was room, so it may finish (lenient enforcement).
upload_reservations: Final = Table(
    "upload_reservations",
    metadata,
    Column("upload_id", Key(36), primary_key=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", Key(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("admitted", Boolean, nullable=False),
    Column("leased_until", Float, nullable=False),
    Index(None, "region", "account_id"),
    Index(None, "leased_until"),
    sqlite_with_rowid=False,
)

# Pushes that began while there was room, for accounts with a limit and lenient enforcement: they
# may go on beyond it until then, or until they set a tag. ``uploads`` counts those opened beyond.
quota_pushes: Final = Table(
    "quota_pushes",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("account_id", Key(32), primary_key=True),
    Column("repository", Key(255), primary_key=True),
    Column("subject", Key(64), primary_key=True),
    Column("until", Float, nullable=False),
    Column("uploads", Integer, nullable=False),
    Index(None, "until"),
    sqlite_with_rowid=False,
)
