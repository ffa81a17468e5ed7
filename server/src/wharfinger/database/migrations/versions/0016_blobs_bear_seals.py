"""What the store told of a blob's bytes when they were verified.

Revision: 0016, after: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("blobs", sa.Column("seal", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Return to the revision before."""
    op.drop_column("blobs", "seal")
