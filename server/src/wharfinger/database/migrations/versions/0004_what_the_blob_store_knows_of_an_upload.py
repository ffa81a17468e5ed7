"""What the blob store knows of an upload.

Revision: 0004, after: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("uploads", sa.Column("state", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_column("uploads", "state")
