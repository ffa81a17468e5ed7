"""Refused requests are kept for some days, to be explained.

Revision: 0008, after: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "refusals",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("request_id", _key(64), nullable=False),
        sa.Column("at", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("region", _key(64), nullable=False),
        sa.Column("account_id", _key(64), nullable=False),
        sa.Column("owner_id", _key(64), nullable=False),
        sa.Column("subject", _key(64), nullable=False),
        sa.Column("credential", _key(64), nullable=False),
        sa.Column("code", _key(16), nullable=False),
        sa.Column("method", _key(16), nullable=False),
        sa.Column("path", _key(512), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
        sa.UniqueConstraint("request_id", name=op.f("uq_refusals_request_id")),
    )
    op.create_index(op.f("ix_refusals_at"), "refusals", ["at"], unique=False)
    op.create_index(
        op.f("ix_refusals_account_id_id"), "refusals", ["account_id", "id"], unique=False
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("refusals")
