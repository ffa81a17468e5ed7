"""Which repository shows which blob: the only module that writes ``repository_blobs``.

Every link comes through `link_blob` and every link goes through `_unlink`, each within the unit
that gave its connection: what has to be counted along with links is counted in these two places.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    select,
    update,
)

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.ports.collection import UnusedLink
from wharfinger.registry.tables import manifest_references, repository_blobs


class Link(NamedTuple):
    """The blob ``digest``, shown in the repository of the key ``repository``."""

    repository: int
    digest: str


_ADD: Final = Prepared(
    lambda connection: insert(connection, repository_blobs).on_conflict_do_nothing()
)
_TOUCH: Final = Prepared(
    lambda _: (
        update(repository_blobs)
        .where(
            repository_blobs.c.repository_id == bindparam("asked"),
            repository_blobs.c.digest == bindparam("asked_digest"),
        )
        .values(linked_at=bindparam("now"))
    )
)


NEEDED: Final = exists().where(
    manifest_references.c.repository_id == repository_blobs.c.repository_id,
    manifest_references.c.child == repository_blobs.c.digest,
    manifest_references.c.kind == Kind.BLOB.value,
)
"""The condition that a manifest of the link's repository needs the blob."""


def link_blob(connection: Connection, repository: int, digest: str, now: int) -> bool:
    """Show the blob in the repository; shown already, its grace before collection starts anew.

    Returns whether the link is new.
    """
    while not _ADD.changed(connection, repository_id=repository, digest=digest, linked_at=now):
        # Where units run side by side, the link that was in the way may be gone by now.
        if touch_link(connection, repository, digest, now):
            return False
    return True


def touch_link(connection: Connection, repository: int, digest: str, now: int) -> bool:
    """Let the link's grace before collection start anew; False if there is no such link."""
    return _TOUCH.changed(connection, asked=repository, asked_digest=digest, now=now) > 0


def unlink_blob(connection: Connection, repository: int, digest: str) -> bool:
    """Take the blob out of the repository; False if it was not shown there."""
    return bool(_unlink(connection, _link(repository, digest)))


def unlink_released(connection: Connection, repository: int, manifest: str) -> Sequence[Link]:
    """Take those blobs out of the repository that no manifest there needs but this one."""
    held = select(manifest_references.c.child).where(
        manifest_references.c.repository_id == repository,
        manifest_references.c.manifest == manifest,
        manifest_references.c.kind == Kind.BLOB.value,
    )
    other = manifest_references.alias("other")
    needed = exists().where(
        other.c.repository_id == repository,
        other.c.child == repository_blobs.c.digest,
        other.c.manifest != manifest,
        other.c.kind == Kind.BLOB.value,
    )
    return _unlink(
        connection,
        and_(
            repository_blobs.c.repository_id == repository,
            repository_blobs.c.digest.in_(held),
            ~needed,
        ),
    )


def unlink_some(connection: Connection, repository: int, limit: int) -> int:
    """Take at most ``limit`` blobs out of a repository that is going; return how many went."""
    table = repository_blobs.c
    some = select(table.digest).where(table.repository_id == repository).limit(limit)
    return len(_unlink(connection, and_(table.repository_id == repository, table.digest.in_(some))))


def unused_since(before: int) -> ColumnElement[bool]:
    """Return the condition that a link of before ``before`` serves no manifest of its repository.

    References are looked up for old links only.
    """
    return and_(repository_blobs.c.linked_at < before, ~NEEDED)


def unlink_unused(
    connection: Connection, links: Collection[UnusedLink], before: int
) -> Sequence[Link]:
    """Take those blobs out of their repositories that are unused since before ``before``.

    Where units run side by side, the rows are locked first and the condition is looked at in a
    statement of its own: a manifest that was pushed while this one waited is in its view. Rows
    that others use at this moment are left for the next pass, so this never waits.
    """
    table = repository_blobs.c
    gone: list[Link] = []
    # One repository at a time: SQLite finds no index for pairs.
    for repository, group in groupby(sorted(links), key=lambda link: link.repository):
        asked = and_(
            table.repository_id == repository, table.digest.in_([link.digest for link in group])
        )
        locked = select(table.digest).where(asked).order_by(table.digest)
        free = connection.scalars(locked.with_for_update(skip_locked=True)).all()
        if free:
            of_these = and_(table.repository_id == repository, table.digest.in_(free))
            gone += _unlink(connection, and_(of_these, unused_since(before)))
    return gone


def _unlink(connection: Connection, condition: ColumnElement[bool]) -> Sequence[Link]:
    """Remove the links that meet ``condition`` and return them."""
    returned = (repository_blobs.c.repository_id, repository_blobs.c.digest)
    statement = delete(repository_blobs).where(condition).returning(*returned)
    return [Link(*row) for row in connection.execute(statement)]


def _link(repository: int, digest: str) -> ColumnElement[bool]:
    return and_(repository_blobs.c.repository_id == repository, repository_blobs.c.digest == digest)
