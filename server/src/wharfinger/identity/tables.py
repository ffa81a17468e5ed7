"""Tables of identity; every time is in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from wharfinger.database.metadata import Key, Seconds, metadata

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", Key(32), primary_key=True),
    Column("name", Key(255), nullable=False),
    Column("plan", Key(32), nullable=False),
    Column("created_at", Seconds, nullable=False),
)

users: Final = Table(
    "users",
    metadata,
    Column("iam_id", Key(64), primary_key=True),
    Column("email", Key(254), nullable=False, unique=True),
    Column("password_hash", Text),
    Column("operator", Boolean, nullable=False),
    Column("created_at", Seconds, nullable=False),
)

memberships: Final = Table(
    "memberships",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("iam_id", ForeignKey("users.iam_id"), primary_key=True),
    Column("created_at", Seconds, nullable=False),
    Index(None, "iam_id"),
)

service_ids: Final = Table(
    "service_ids",
    metadata,
    Column("iam_id", Key(64), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Key(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Index(None, "account_id"),
)

# One row for everything that tokens are issued on: an API key, a user's password, the anonymous
# caller. Tokens carry id and epoch; a missing row or another epoch means revoked.
credentials: Final = Table(
    "credentials",
    metadata,
    Column("id", Key(64), primary_key=True),
    Column("iam_id", Key(64), nullable=False),
    Column("kind", Key(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Index(None, "iam_id"),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", ForeignKey("credentials.id"), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("iam_id", Key(64), nullable=False),
    Column("name", Key(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("locked", Boolean, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("last_used_at", Seconds),
    Index(None, "account_id", "iam_id"),
)

# Tokens for docker login: found by a keyed hash, and kept sealed under the master key, because they
# are shown again. Each is a subject of its own, called as its credential; ends is 0 for never.
registry_tokens: Final = Table(
    "registry_tokens",
    metadata,
    Column("id", ForeignKey("credentials.id"), primary_key=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("secret_hmac", LargeBinary(32), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("made_by", Key(64), nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("ends", Seconds, nullable=False),
    Index(None, "account_id", "region"),
    Index(None, "ends"),
)

# namespace and region '' mean the whole account: NULL would not take part in the unique constraint.
policies: Final = Table(
    "policies",
    metadata,
    Column("id", Key(36), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("iam_id", Key(64), nullable=False),
    Column("role", Key(16), nullable=False),
    Column("namespace", Key(30), nullable=False),
    Column("region", Key(32), nullable=False),
    Column("created_at", Seconds, nullable=False),
    UniqueConstraint("account_id", "iam_id", "namespace", "region", "role"),
    Index(None, "iam_id"),
)

# Private keys are encrypted with the data folder's master key. ``generation`` lets only one of
# several processes that rotate at once succeed; ``longest_life`` (seconds) is the life of the
# longest-lived token that the key may have signed: it verifies that long beyond its successor.
signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("kid", Key(64), primary_key=True),
    Column("private_key", LargeBinary, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("signs_from", Seconds, nullable=False),
    Column("generation", Integer, nullable=False, unique=True),
    Column("longest_life", Integer, nullable=False),
)

signin_failures: Final = Table(
    "signin_failures",
    metadata,
    Column("key", Key(80), primary_key=True),
    Column("window_start", Seconds, nullable=False),
    Column("count", Integer, nullable=False),
)

# Only a hash of each; one that was used is gone. The credential may be gone before its passcode.
passcodes: Final = Table(
    "passcodes",
    metadata,
    Column("secret_sha256", LargeBinary(32), primary_key=True),
    Column("credential_id", Key(64), nullable=False),
    Column("ends", Seconds, nullable=False),
    Index(None, "credential_id"),
    Index(None, "ends"),
)

# What is true of the deployment as a whole, however many nodes it has; see ports.Fact.
facts: Final = Table(
    "facts",
    metadata,
    Column("name", Key(32), primary_key=True),
    Column("value", Key(255), nullable=False),
)
