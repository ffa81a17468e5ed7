"""Bytes are discarded after their rows; damaged blobs and manifests are fenced.

Revision: 0003, after: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("blobs", sa.Column("damaged_at", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_blobs_location"), "blobs", ["location"], unique=True)
    op.add_column("manifests", sa.Column("damaged_at", sa.Integer(), nullable=True))
    op.create_table(
        "discarded_bytes",
        sa.Column("location", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("discarded_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("location", name=op.f("pk_discarded_bytes")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_discarded_bytes_discarded_at"), "discarded_bytes", ["discarded_at"], unique=False
    )
    op.create_table(
        "collection_passes",
        sa.Column("task", sa.String(length=32), nullable=False),
        sa.Column("cursor", sa.String(length=512), nullable=False),
        sa.Column("begun_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=False),
        sa.Column("examined", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_collection_passes")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("collection_passes")
    op.drop_index(op.f("ix_discarded_bytes_discarded_at"), table_name="discarded_bytes")
    op.drop_table("discarded_bytes")
    op.drop_column("manifests", "damaged_at")
    op.drop_index(op.f("ix_blobs_location"), table_name="blobs")
    op.drop_column("blobs", "damaged_at")
