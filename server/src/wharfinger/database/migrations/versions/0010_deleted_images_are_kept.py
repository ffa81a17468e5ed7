"""Deleted images are kept for a while, with their tags and what they need.

Revision: 0010, after: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SECONDS = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "trash",
        sa.Column("id", _BIG_KEY, nullable=False, autoincrement=True),
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("namespace", _key(30), nullable=False),
        sa.Column("repository", _key(255), nullable=False),
        sa.Column("digest", _key(135), nullable=False),
        sa.Column("media_type", _key(255), nullable=False),
        sa.Column("artifact_type", _key(255), nullable=False),
        sa.Column("subject", _key(135), nullable=True),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("config", _key(135), nullable=True),
        sa.Column("layers_size", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", _SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trash")),
        sa.UniqueConstraint(
            "region", "repository", "digest", name=op.f("uq_trash_region_repository_digest")
        ),
    )
    op.create_index(
        op.f("ix_trash_region_account_id_repository_digest"),
        "trash",
        ["region", "account_id", "repository", "digest"],
    )
    op.create_index(op.f("ix_trash_region_namespace"), "trash", ["region", "namespace"])
    op.create_index(op.f("ix_trash_deleted_at"), "trash", ["deleted_at"])
    op.create_table(
        "trash_tags",
        sa.Column("trash_id", _BIG_KEY, nullable=False),
        sa.Column("name", _key(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["trash_id"], ["trash.id"], name=op.f("fk_trash_tags_trash_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trash_id", "name", name=op.f("pk_trash_tags")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trash_references",
        sa.Column("trash_id", _BIG_KEY, nullable=False),
        sa.Column("child", _key(135), nullable=False),
        sa.Column("kind", _key(8), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trash_id"],
            ["trash.id"],
            name=op.f("fk_trash_references_trash_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("trash_id", "child", name=op.f("pk_trash_references")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_trash_references_child"), "trash_references", ["child"])


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("trash_references")
    op.drop_table("trash_tags")
    op.drop_table("trash")
