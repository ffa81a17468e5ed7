"""One-time passcodes.

Revision: 0014, after: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _seconds() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "passcodes",
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("credential_id", _key(64), nullable=False),
        sa.Column("ends", _seconds(), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_passcodes")),
    )
    op.create_index(op.f("ix_passcodes_credential_id"), "passcodes", ["credential_id"])
    op.create_index(op.f("ix_passcodes_ends"), "passcodes", ["ends"])


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_table("passcodes")
