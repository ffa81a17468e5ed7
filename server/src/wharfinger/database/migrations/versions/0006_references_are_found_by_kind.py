"""What references a blob or a manifest is found without reading all of a repository's references.

Revision: 0006, after: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FORMER = "ix_manifest_references_repository_id_child"
_INDEX = "ix_manifest_references_repository_id_child_kind"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.drop_index(op.f(_FORMER), table_name="manifest_references")
    op.create_index(op.f(_INDEX), "manifest_references", ["repository_id", "child", "kind"])


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_index(op.f(_INDEX), table_name="manifest_references")
    op.create_index(op.f(_FORMER), "manifest_references", ["repository_id", "child"])
