"""Which upload sessions have ended, while their ids could still begin one.

Revision: 0017, after: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "ended_uploads",
        sa.Column("id", _key(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_uploads")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_table("ended_uploads")
