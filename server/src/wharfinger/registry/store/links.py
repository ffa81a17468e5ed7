"""Which repository shows which blob: the only module that writes ``repository_blobs``.

Every link comes through `link_blob` and every link goes through `_unlink`, each within the unit
that gave its connection. They tell `Charges` what an account has more or less; that locks the
account's usage, so linking and unlinking is the last that a unit does. A unit that does so in
several steps gives `Collected` and settles at its end.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple, Protocol

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
from wharfinger.registry.tables import manifest_references, repositories, repository_blobs


class Link(NamedTuple):
    """The blob ``digest``, shown in the repository of the key ``repository``."""

    repository: int
    digest: str


class Shown(NamedTuple):
    """A blob that a repository of ``account`` in ``region`` is to show.

    ``upload`` is the session that ends with it, '' for none; ``push`` repository and subject of the
    push that it is part of.
    """

    region: str
    account: str
    digest: str
    size: int
    upload: str = ""
    push: tuple[str, str] | None = None


class Charges(Protocol):
    """Counts what accounts store, within the unit of ``connection``; wired from quotas."""

    def charge(
        self,
        connection: Connection,
        region: str,
        account: str,
        sizes: Mapping[str, int],
        upload: str = "",
        push: tuple[str, str] | None = None,
        *,
        must_fit: bool = False,
    ) -> None:
        """Count a further link of the account to each blob.

        Refuses if its quota has no room; with ``must_fit`` also where a ``push`` (repository and
        subject) that began in time might exceed it.
        """

    def release(
        self, connection: Connection, region: str, account: str, counts: Mapping[str, int]
    ) -> None:
        """Count that many links less of the account to each blob."""


class Uncounted:
    """`Charges` that count nothing: accounting is off."""

    def charge(
        self,
        connection: Connection,
        region: str,
        account: str,
        sizes: Mapping[str, int],
        upload: str = "",
        push: tuple[str, str] | None = None,
        *,
        must_fit: bool = False,
    ) -> None:
        """Do nothing."""

    def release(
        self, connection: Connection, region: str, account: str, counts: Mapping[str, int]
    ) -> None:
        """Do nothing."""


class Collected:
    """`Charges` that remember what a unit links and unlinks in several steps, for its end."""

    def __init__(self, connection: Connection, charges: Charges) -> None:
        self._connection: Final = connection
        self._charges: Final = charges
        self._linked: Final[dict[tuple[str, str], dict[str, int]]] = {}
        self._released: Final[dict[tuple[str, str], Counter[str]]] = {}

    def charge(
        self,
        connection: Connection,
        region: str,
        account: str,
        sizes: Mapping[str, int],
        upload: str = "",
        push: tuple[str, str] | None = None,
        *,
        must_fit: bool = False,
    ) -> None:
        """Remember it; for what does not come by an upload, once a blob and unit."""
        assert connection is self._connection and must_fit and not (upload or push)  # noqa: S101, PT018 - defects
        self._linked.setdefault((region, account), {}).update(sizes)

    def release(
        self, connection: Connection, region: str, account: str, counts: Mapping[str, int]
    ) -> None:
        """Remember it."""
        assert connection is self._connection  # noqa: S101 - another unit's would be a defect
        self._released.setdefault((region, account), Counter()).update(counts)

    def settle(self) -> None:
        """Count it all, last of what the unit does.

        Refuses if what was linked does not fit a quota; the unit must not commit then.
        """
        for (region, account), sizes in sorted(self._linked.items()):
            self._charges.charge(self._connection, region, account, sizes, must_fit=True)
        for (region, account), counts in sorted(self._released.items()):
            self._charges.release(self._connection, region, account, counts)


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


def link_blob(
    connection: Connection, charges: Charges, repository: int, shown: Shown, now: int
) -> bool:
    """Show the blob in the repository; shown already, its grace before collection starts anew.

    Returns whether the link is new.
    """
    if not _link_unless_there(connection, repository, shown.digest, now):
        return False
    sizes = {shown.digest: shown.size}
    charges.charge(connection, shown.region, shown.account, sizes, shown.upload, shown.push)
    return True


def link_again(
    connection: Connection,
    charges: Charges,
    repository: int,
    sizes: Mapping[str, int],
    now: int,
) -> None:
    """Show blobs, given with their sizes, which do not come by an upload.

    The quota is asked whether all that is new to the account fits. Refuses if it does not.
    """
    new = {
        digest: size
        for digest, size in sorted(sizes.items())
        if _link_unless_there(connection, repository, digest, now)
    }
    if new:
        (holder,) = _holders(connection, {repository}).values()
        charges.charge(connection, *holder, new, must_fit=True)


def _link_unless_there(connection: Connection, repository: int, digest: str, now: int) -> bool:
    while not _ADD.changed(connection, repository_id=repository, digest=digest, linked_at=now):
        # Where units run side by side, the link that was in the way may be gone by now.
        if touch_link(connection, repository, digest, now):
            return False
    return True


def touch_link(connection: Connection, repository: int, digest: str, now: int) -> bool:
    """Let the link's grace before collection start anew; False if there is no such link."""
    return _TOUCH.changed(connection, asked=repository, asked_digest=digest, now=now) > 0


def unlink_blob(connection: Connection, charges: Charges, repository: int, digest: str) -> bool:
    """Take the blob out of the repository; False if it was not shown there."""
    return bool(_unlink(connection, charges, _link(repository, digest)))


def unlink_released(
    connection: Connection, charges: Charges, repository: int, manifest: str
) -> Sequence[Link]:
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
        charges,
        and_(
            repository_blobs.c.repository_id == repository,
            repository_blobs.c.digest.in_(held),
            ~needed,
        ),
    )


def unlink_some(connection: Connection, charges: Charges, repository: int, limit: int) -> int:
    """Take at most ``limit`` blobs out of a repository that is going; return how many went."""
    table = repository_blobs.c
    some = select(table.digest).where(table.repository_id == repository).limit(limit)
    these = and_(table.repository_id == repository, table.digest.in_(some))
    return len(_unlink(connection, charges, these))


def unused_since(before: int) -> ColumnElement[bool]:
    """Return the condition that a link of before ``before`` serves no manifest of its repository.

    References are looked up for old links only.
    """
    return and_(repository_blobs.c.linked_at < before, ~NEEDED)


def unlink_unused(
    connection: Connection, charges: Charges, links: Collection[UnusedLink], before: int
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
            gone += _unlink(connection, charges, and_(of_these, unused_since(before)))
    return gone


def _unlink(
    connection: Connection, charges: Charges, condition: ColumnElement[bool]
) -> Sequence[Link]:
    """Remove the links that meet ``condition`` and return them."""
    returned = (repository_blobs.c.repository_id, repository_blobs.c.digest)
    statement = delete(repository_blobs).where(condition).returning(*returned)
    links = [Link(*row) for row in connection.execute(statement)]
    if links:
        _release(connection, charges, links)
    return links


def _release(connection: Connection, charges: Charges, links: Sequence[Link]) -> None:
    holders = _holders(connection, {link.repository for link in links})
    gone: dict[tuple[str, str], Counter[str]] = {}
    for link in links:
        gone.setdefault(holders[link.repository], Counter())[link.digest] += 1
    for (region, account), counts in sorted(gone.items()):
        charges.release(connection, region, account, counts)


def _holders(connection: Connection, repository_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return region and account of each repository."""
    table = repositories.c
    query = select(table.id, table.region, table.account_id).where(table.id.in_(repository_ids))
    return {row.id: (row.region, row.account_id) for row in connection.execute(query)}


def _link(repository: int, digest: str) -> ColumnElement[bool]:
    return and_(repository_blobs.c.repository_id == repository, repository_blobs.c.digest == digest)
