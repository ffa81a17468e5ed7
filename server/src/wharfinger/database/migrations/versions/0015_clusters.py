"""Clusters that were registered.

Revision: 0015, after: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _seconds() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "clusters",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("name", _key(253), nullable=False),
        sa.Column("ident", _key(253), nullable=False),
        sa.Column("registered_at", _seconds(), nullable=False),
        sa.Column("registered_by", _key(64), nullable=False),
        sa.Column("worker_count", sa.Integer(), nullable=False),
        sa.Column("workers", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_clusters_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_clusters_account_id_name")),
    )


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_table("clusters")
