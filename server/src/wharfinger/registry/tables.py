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
    Table,
    Text,
    UniqueConstraint,
)

from wharfinger.database.metadata import BigKey, Key, Seconds, metadata

DIGEST_LENGTH: Final = 135  # "sha512:" and 128 digits

repositories: Final = Table(
    "repositories",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", Key(32), nullable=False),
    Column("namespace", Key(30), nullable=False),
    Column("name", Key(255), nullable=False),
    Column("created_at", Seconds, nullable=False),
    UniqueConstraint("region", "name"),
    Index(None, "region", "namespace", "name"),
    Index(None, "region", "account_id", "name"),
)

# A verified blob and where its bytes lie; one row however many repositories link it. Since
# damaged_at its bytes are known not to be what they should be: it is shown to nobody until they
# are pushed again. The seal is what the store told of them when they were verified ('' of files).
blobs: Final = Table(
    "blobs",
    metadata,
    Column("digest", Key(DIGEST_LENGTH), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("location", Key(255), nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("damaged_at", Seconds),
    Column("seal", Text, nullable=False, server_default=""),
    Index(None, "location", unique=True),
    sqlite_with_rowid=False,
)

# Bytes that no blob has any more and that are still to be deleted from the store.
discarded_bytes: Final = Table(
    "discarded_bytes",
    metadata,
    Column("location", Key(255), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("reason", Key(16), nullable=False),
    Column("discarded_at", Seconds, nullable=False),
    Index(None, "discarded_at"),
    sqlite_with_rowid=False,
)

# Which blobs are visible in which repository.
repository_blobs: Final = Table(
    "repository_blobs",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("digest", ForeignKey("blobs.digest"), primary_key=True),
    Column("linked_at", Seconds, nullable=False),
    Index(None, "digest"),
    sqlite_with_rowid=False,
)

# What lists tell of images from their configs: created in Unix seconds, NULL for undated ones;
# labels a JSON object of bounded size.
image_configs: Final = Table(
    "image_configs",
    metadata,
    Column("digest", ForeignKey("blobs.digest", ondelete="CASCADE"), primary_key=True),
    Column("created", BigInteger),
    Column("parent", Key(DIGEST_LENGTH), nullable=False),
    Column("labels", Text, nullable=False),
    sqlite_with_rowid=False,
)

# layers_size is the sum of the layers' bytes as the descriptors tell them; config is NULL for
# what has none.
manifests: Final = Table(
    "manifests",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False),
    Column("digest", Key(DIGEST_LENGTH), nullable=False),
    Column("media_type", Key(255), nullable=False),
    Column("artifact_type", Key(255), nullable=False),
    Column("subject", Key(DIGEST_LENGTH)),
    Column("annotations", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("pushed_at", Seconds, nullable=False),
    Column("config", Key(DIGEST_LENGTH)),
    Column("layers_size", BigInteger, nullable=False, server_default="0"),
    Column("damaged_at", Seconds),
    UniqueConstraint("repository_id", "digest"),
    Index("ix_manifests_referrers", "repository_id", "subject", "digest"),
)

# What a manifest needs to be whole; kind is 'blob' or 'manifest'. Foreign layers have no row.
manifest_references: Final = Table(
    "manifest_references",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("manifest", Key(DIGEST_LENGTH), primary_key=True),
    Column("child", Key(DIGEST_LENGTH), primary_key=True),
    Column("kind", Key(8), nullable=False),
    # With the kind: else the planner of SQLite prefers to read all of the repository's rows.
    Index(None, "repository_id", "child", "kind"),
    sqlite_with_rowid=False,
)

tags: Final = Table(
    "tags",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("name", Key(128), primary_key=True),
    Column("digest", Key(DIGEST_LENGTH), nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Index(None, "repository_id", "digest"),
    sqlite_with_rowid=False,
)

# One row an upload session that has begun to receive bytes. size is the
# acknowledged length, state what the blob store needs to go on from there; the lease says which
# request writes now, fence numbers the holders.
uploads: Final = Table(
    "uploads",
    metadata,
    Column("id", Key(36), primary_key=True),
    Column("region", Key(32), nullable=False),
    Column("account_id", Key(32), nullable=False),
    Column("repository", Key(255), nullable=False),
    Column("subject", Key(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("leased_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("started_at", Seconds, nullable=False),
    Column("touched_at", Seconds, nullable=False),
    Column("state", Text, nullable=False, server_default=""),
    Index(None, "region", "repository"),
    Index(None, "touched_at"),
    sqlite_with_rowid=False,
)

# Ids of sessions that have ended, for as long as they could be taken for ones that have not begun.
# They are in the order of time.
ended_uploads: Final = Table(
    "ended_uploads",
    metadata,
    Column("id", Key(36), primary_key=True),
    sqlite_with_rowid=False,
)

# How far the passes over everything stored have come, one row a task. An empty cursor: none runs.
# The figures are those of the pass that runs, or of the last one.
collection_passes: Final = Table(
    "collection_passes",
    metadata,
    Column("task", Key(32), primary_key=True),
    Column("cursor", Key(512), nullable=False),
    Column("begun_at", Float, nullable=False),
    Column("ended_at", Float, nullable=False),
    Column("examined", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
