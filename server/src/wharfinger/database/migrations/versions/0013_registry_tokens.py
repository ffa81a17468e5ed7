"""Registry tokens: passwords for docker login. Pushes that began below a limit may finish.

Revision: 0013, after: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _seconds() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "registry_tokens",
        sa.Column("id", _key(64), nullable=False),
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("secret_hmac", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("made_by", _key(64), nullable=False),
        sa.Column("created_at", _seconds(), nullable=False),
        sa.Column("ends", _seconds(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["credentials.id"], name=op.f("fk_registry_tokens_id_credentials")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_registry_tokens_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_tokens")),
        sa.UniqueConstraint("secret_hmac", name=op.f("uq_registry_tokens_secret_hmac")),
    )
    op.create_index(
        op.f("ix_registry_tokens_account_id_region"), "registry_tokens", ["account_id", "region"]
    )
    op.create_index(op.f("ix_registry_tokens_ends"), "registry_tokens", ["ends"])
    op.create_table(
        "quota_pushes",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("repository", _key(255), nullable=False),
        sa.Column("subject", _key(64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("uploads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "region", "account_id", "repository", "subject", name=op.f("pk_quota_pushes")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_quota_pushes_until"), "quota_pushes", ["until"])


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_table("quota_pushes")
    op.drop_table("registry_tokens")
