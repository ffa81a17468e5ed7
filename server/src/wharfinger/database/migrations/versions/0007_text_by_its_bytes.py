"""PostgreSQL orders names by their bytes, as SQLite always did, and counts seconds beyond 2038.

Revision: 0007, after: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Lengths of short texts, and points in time, of each table as it was at this revision.
_TABLES: dict[str, tuple[dict[str, int], list[str]]] = {
    "accounts": ({"id": 32, "name": 255, "plan": 32}, ["created_at"]),
    "audit": (
        {"account_id": 32, "actor": 64, "action": 64, "target": 512, "request_id": 64},
        ["at"],
    ),
    "blobs": ({"digest": 135, "location": 255}, ["created_at", "damaged_at"]),
    "collection_passes": ({"task": 32, "cursor": 512}, []),
    "credentials": ({"id": 64, "iam_id": 64, "kind": 16}, []),
    "discarded_bytes": ({"location": 255, "reason": 16}, ["discarded_at"]),
    "jobs": ({"kind": 64, "subject": 255, "lease_owner": 64}, ["created_at"]),
    "repositories": (
        {"region": 32, "account_id": 32, "namespace": 30, "name": 255},
        ["created_at"],
    ),
    "signin_failures": ({"key": 80}, ["window_start"]),
    "signing_keys": ({"kid": 64}, ["created_at", "signs_from"]),
    "uploads": (
        {"id": 36, "region": 32, "account_id": 32, "repository": 255, "subject": 64},
        ["started_at", "touched_at"],
    ),
    "users": ({"iam_id": 64, "email": 254}, ["created_at"]),
    "api_keys": (
        {"id": 64, "account_id": 32, "iam_id": 64, "name": 255},
        ["created_at", "last_used_at"],
    ),
    "image_configs": ({"digest": 135, "parent": 135}, []),
    "manifest_references": ({"manifest": 135, "child": 135, "kind": 8}, []),
    "manifests": (
        {"digest": 135, "media_type": 255, "artifact_type": 255, "subject": 135, "config": 135},
        ["pushed_at", "damaged_at"],
    ),
    "memberships": ({"account_id": 32, "iam_id": 64}, ["created_at"]),
    "namespaces": (
        {"region": 32, "account_id": 32, "name": 30, "state": 16, "resource_group": 64},
        ["created_at", "updated_at"],
    ),
    "policies": (
        {"id": 36, "account_id": 32, "iam_id": 64, "role": 16, "namespace": 30, "region": 32},
        ["created_at"],
    ),
    "repository_blobs": ({"digest": 135}, ["linked_at"]),
    "service_ids": ({"iam_id": 64, "account_id": 32, "name": 255}, ["created_at"]),
    "tags": ({"name": 128, "digest": 135}, ["updated_at"]),
}


def upgrade() -> None:
    _alter('TYPE VARCHAR({}) COLLATE "C"', "TYPE BIGINT")


def downgrade() -> None:
    _alter("TYPE VARCHAR({})", "TYPE INTEGER")


def _alter(text: str, seconds: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, (texts, times) in _TABLES.items():
        changes = {name: text.format(length) for name, length in texts.items()}
        changes |= dict.fromkeys(times, seconds)
        # In one statement, so that the table and its indexes are written once.
        columns = ", ".join(f"ALTER COLUMN {name} {change}" for name, change in changes.items())
        op.execute(f"ALTER TABLE {table} {columns}")
