"""Tables of images; sizes in bytes, times in Unix seconds (UTC)."""

from typing import Final

from sqlalchemy import (
    BigInteger,
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

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata
from wharfinger.registry.tables import DIGEST_LENGTH

# A deleted manifest, as it was. Newer ones have greater keys: one that is deleted again gets a
# new one. What it references keeps its blobs from being collected.
trash: Final = Table(
    "trash",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", Key(32), nullable=False),
    Column("namespace", Key(30), nullable=False),
    Column("repository", Key(255), nullable=False),
    Column("digest", Key(DIGEST_LENGTH), nullable=False),
    Column("media_type", Key(255), nullable=False),
    Column("artifact_type", Key(255), nullable=False),
    Column("subject", Key(DIGEST_LENGTH)),
    Column("annotations", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("config", Key(DIGEST_LENGTH)),
    Column("layers_size", BigInteger, nullable=False),
    Column("deleted_at", Seconds, nullable=False),
    UniqueConstraint("region", "repository", "digest"),
    Index(None, "region", "account_id", "repository", "digest"),
    Index(None, "region", "namespace"),
    Index(None, "deleted_at"),
)

trash_tags: Final = Table(
    "trash_tags",
    metadata,
    Column("trash_id", ForeignKey("trash.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Key(128), primary_key=True),
    sqlite_with_rowid=False,
)

# kind as in manifest_references; size is 0 for manifests.
trash_references: Final = Table(
    "trash_references",
    metadata,
    Column("trash_id", ForeignKey("trash.id", ondelete="CASCADE"), primary_key=True),
    Column("child", Key(DIGEST_LENGTH), primary_key=True),
    Column("kind", Key(8), nullable=False),
    Column("size", BigInteger, nullable=False),
    Index(None, "child"),
    sqlite_with_rowid=False,
)

# At most one policy a namespace; images_per_repo is -1 where all are kept.
retention_policies: Final = Table(
    "retention_policies",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("namespace", Key(30), primary_key=True),
    Column("account_id", Key(32), nullable=False),
    Column("images_per_repo", Integer, nullable=False),
    Column("retain_untagged", Boolean, nullable=False),
    Column("deletion_threshold_days", Integer, nullable=False),
    Column("set_by", Key(64), nullable=False),
    Column("set_at", Seconds, nullable=False),
    Index(None, "region", "account_id"),
    sqlite_with_rowid=False,
)

# What an account decided in a region; without a row everything is as it is by default.
account_settings: Final = Table(
    "account_settings",
    metadata,
    Column("region", Key(32), primary_key=True),
    Column("account_id", Key(32), primary_key=True),
    Column("private_only", Boolean, nullable=False),
    Column("platform_metrics", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
