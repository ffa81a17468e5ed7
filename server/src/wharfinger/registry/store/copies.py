"""A manifest of one repository in another one: its row, its references, its blobs."""

from typing import Any, Final

from sqlalchemy import Connection, Select, exists, literal, select

from wharfinger.database.dialect import insert
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.store.links import Charges, link_again
from wharfinger.registry.tables import blobs, manifest_references, manifests, repository_blobs

_COPIED: Final = [
    column for column in manifests.c if column.name not in {"id", "repository_id", "pushed_at"}
]


def copy_manifest(
    connection: Connection, charges: Charges, source: int, target: int, digest: str, at: int
) -> bool:
    """Let ``target`` have a manifest of ``source``, and show its blobs; both are keys.

    Linking is the last that the unit does.

    The caller holds both repositories. False if ``source`` has not all of it, or ``target`` not
    the manifests that it lists. A manifest that is there already stays as it is. Refuses if the
    blobs are new to the account and do not fit its quota.
    """
    found = select(manifests.c.id).where(
        manifests.c.repository_id == source, manifests.c.digest == digest
    )
    if connection.scalar(found) is None:
        return False
    if source == target:
        return True
    references = connection.execute(_references(source, digest)).all()
    shown = {row.digest: row.size for row in connection.execute(_shown(source, digest))}
    needed = [child for child, kind in references if kind == Kind.BLOB.value]
    listed = [child for child, kind in references if kind != Kind.BLOB.value]
    if not shown.keys() >= set(needed):
        return False
    if any(connection.scalar(_manifest(target, child)) is None for child in listed):
        return False
    _copy_rows(connection, source, target, digest, at)
    link_again(connection, charges, target, shown, at)
    return True


def _references(source: int, digest: str) -> Select[Any]:
    # In one order, so that two units never wait for each other.
    return (
        select(manifest_references.c.child, manifest_references.c.kind)
        .where(
            manifest_references.c.repository_id == source,
            manifest_references.c.manifest == digest,
        )
        .order_by(manifest_references.c.child)
    )


def _shown(source: int, digest: str) -> Select[Any]:
    needed = exists().where(
        manifest_references.c.repository_id == source,
        manifest_references.c.manifest == digest,
        manifest_references.c.child == repository_blobs.c.digest,
    )
    return (
        select(repository_blobs.c.digest, blobs.c.size)
        .join(blobs, blobs.c.digest == repository_blobs.c.digest)
        .where(repository_blobs.c.repository_id == source, needed)
        .order_by(repository_blobs.c.digest)
        .with_for_update(read=True, key_share=True, of=repository_blobs)
    )


def _manifest(repository: int, digest: str) -> Select[Any]:
    return select(manifests.c.id).where(
        manifests.c.repository_id == repository, manifests.c.digest == digest
    )


def _copy_rows(connection: Connection, source: int, target: int, digest: str, at: int) -> None:
    row = select(literal(target), literal(at), *_COPIED).where(
        manifests.c.repository_id == source, manifests.c.digest == digest
    )
    names = ["repository_id", "pushed_at", *(column.name for column in _COPIED)]
    statement = insert(connection, manifests).from_select(names, row)
    connection.execute(statement.on_conflict_do_nothing())
    references = manifest_references.c
    kept = select(literal(target), references.manifest, references.child, references.kind).where(
        references.repository_id == source, references.manifest == digest
    )
    statement = insert(connection, manifest_references).from_select(
        ["repository_id", "manifest", "child", "kind"], kept
    )
    connection.execute(statement.on_conflict_do_nothing())
