"""Manifests tell their config and the size of their layers; what configs say is kept.

Revision: 0005, after: 0004
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BATCH = 500
_MOST = 2**63 - 1


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("manifests", sa.Column("config", sa.String(135), nullable=True))
    op.add_column(
        "manifests", sa.Column("layers_size", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_table(
        "image_configs",
        sa.Column("digest", sa.String(135), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=True),
        sa.Column("parent", sa.String(135), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["blobs.digest"],
            name=op.f("fk_image_configs_digest"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_image_configs")),
        sqlite_with_rowid=False,
    )
    _describe(op.get_bind())


def _describe(connection: sa.Connection) -> None:
    """Fill in the new columns; what the configs say is read when the service runs again."""
    query = sa.text(
        "SELECT id, repository_id, digest, content FROM manifests WHERE id > :after "
        "ORDER BY id LIMIT :batch"
    )
    shown = sa.text(
        "SELECT count(*) FROM manifest_references WHERE repository_id = :repository "
        "AND manifest = :manifest AND child = :config AND kind = 'blob'"
    )
    change = sa.text("UPDATE manifests SET config = :config, layers_size = :size WHERE id = :id")
    after = 0
    while rows := connection.execute(query, {"after": after, "batch": _BATCH}).all():
        for key, repository, digest, content in rows:
            config, size = _facts(content)
            asked = {"repository": repository, "manifest": digest, "config": config}
            if config and not connection.execute(shown, asked).scalar():
                config = None
            connection.execute(change, {"config": config, "size": size, "id": key})
        after = rows[-1][0]


def _facts(content: bytes) -> tuple[str | None, int]:
    try:
        document = json.loads(bytes(content))
        layers = [*(document.get("layers") or ()), *(document.get("blobs") or ())]
        size = sum(int(layer["size"]) for layer in layers)
        config: Any = (document.get("config") or {}).get("digest")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None, 0
    return (config if isinstance(config, str) else None), min(max(size, 0), _MOST)


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("image_configs")
    op.drop_column("manifests", "layers_size")
    op.drop_column("manifests", "config")
