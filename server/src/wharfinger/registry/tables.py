"""Tables of the registry; sizes in bytes, times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from wharfinger.database.metadata import BigKey, metadata

DIGEST_LENGTH: Final = 135  # "sha512:" and 128 digits

repositories: Final = Table(
    "repositories",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("region", String(32), nullable=False),
    Column("account_id", String(32), nullable=False),
    Column("namespace", String(30), nullable=False),
    Column("name", String(255), nullable=False),
    Column("created_at", Integer, nullable=False),
    UniqueConstraint("region", "name"),
    Index(None, "region", "namespace", "name"),
    Index(None, "region", "account_id", "name"),
)

# A verified blob and where its bytes lie; one row however many repositories link it.
blobs: Final = Table(
    "blobs",
    metadata,
    Column("digest", String(DIGEST_LENGTH), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("location", String(255), nullable=False),
    Column("created_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Which blobs are visible in which repository.
repository_blobs: Final = Table(
    "repository_blobs",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("digest", ForeignKey("blobs.digest"), primary_key=True),
    Column("linked_at", Integer, nullable=False),
    Index(None, "digest"),
    sqlite_with_rowid=False,
)

manifests: Final = Table(
    "manifests",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False),
    Column("digest", String(DIGEST_LENGTH), nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("artifact_type", String(255), nullable=False),
    Column("subject", String(DIGEST_LENGTH)),
    Column("annotations", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("pushed_at", Integer, nullable=False),
    UniqueConstraint("repository_id", "digest"),
    Index("ix_manifests_referrers", "repository_id", "subject", "digest"),
)

# What a manifest needs to be whole; kind is 'blob' or 'manifest'. Foreign layers have no row.
manifest_references: Final = Table(
    "manifest_references",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("manifest", String(DIGEST_LENGTH), primary_key=True),
    Column("child", String(DIGEST_LENGTH), primary_key=True),
    Column("kind", String(8), nullable=False),
    Index(None, "repository_id", "child"),
    sqlite_with_rowid=False,
)

tags: Final = Table(
    "tags",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("digest", String(DIGEST_LENGTH), nullable=False),
    Column("updated_at", Integer, nullable=False),
    Index(None, "repository_id", "digest"),
    sqlite_with_rowid=False,
)

# One row an upload session that has begun to receive bytes or may be resumed. size is the
# acknowledged length; the lease says which request writes now, fence numbers the holders.
uploads: Final = Table(
    "uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(32), nullable=False),
    Column("account_id", String(32), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("leased_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("started_at", Integer, nullable=False),
    Column("touched_at", Integer, nullable=False),
    Index(None, "region", "repository"),
    Index(None, "touched_at"),
    sqlite_with_rowid=False,
)
