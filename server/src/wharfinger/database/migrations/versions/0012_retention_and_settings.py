"""Retention policies of namespaces, and what accounts decide in a region.

Revision: 0012, after: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "retention_policies",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("namespace", _key(30), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("images_per_repo", sa.Integer(), nullable=False),
        sa.Column("retain_untagged", sa.Boolean(), nullable=False),
        sa.Column("deletion_threshold_days", sa.Integer(), nullable=False),
        sa.Column("set_by", _key(64), nullable=False),
        sa.Column(
            "set_at", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("region", "namespace", name=op.f("pk_retention_policies")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_retention_policies_region_account_id"),
        "retention_policies",
        ["region", "account_id"],
    )
    op.create_table(
        "account_settings",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("private_only", sa.Boolean(), nullable=False),
        sa.Column("platform_metrics", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("region", "account_id", name=op.f("pk_account_settings")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("account_settings")
    op.drop_table("retention_policies")
