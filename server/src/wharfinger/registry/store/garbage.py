"""Lists of what collection would remove, for people to read before it does."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, exists, select, tuple_

from wharfinger.database.unit import Database
from wharfinger.registry.model.collection import Garbage, Reason, Thing
from wharfinger.registry.ports.collection import Scan
from wharfinger.registry.store.collection import Keeper, unneeded
from wharfinger.registry.store.links import unused_since
from wharfinger.registry.tables import (
    blobs,
    discarded_bytes,
    repositories,
    repository_blobs,
    uploads,
)


class SqlGarbageLists:
    """Implements ``registry.ports.collection.GarbageLists`` over a database."""

    def __init__(self, database: Database, keepers: Sequence[Keeper] = ()) -> None:
        self._database: Final = database
        self._keepers: Final = tuple(keepers)

    def links(self, cursor: str, limit: int, before: int) -> Scan[Garbage]:
        """Return links that would go; see the port."""
        table = repository_blobs.c
        query = (
            select(
                table.repository_id,
                table.digest,
                blobs.c.size,
                table.linked_at,
                repositories.c.name,
            )
            .join(blobs, blobs.c.digest == table.digest)
            .join(repositories, repositories.c.id == table.repository_id)
            .where(
                tuple_(table.repository_id, table.digest) > tuple_(*_pair(cursor)),
                unused_since(before),
            )
            .order_by(table.repository_id, table.digest)
        )
        return self._page(query, limit, _link)

    def blobs(self, cursor: str, limit: int, before: int) -> Scan[Garbage]:
        """Return blobs that would go; see the port."""
        shown = exists().where(repository_blobs.c.digest == blobs.c.digest, ~unused_since(before))
        query = (
            select(blobs.c.digest, blobs.c.size, blobs.c.created_at)
            .where(blobs.c.digest > cursor, unneeded(shown, self._keepers))
            .order_by(blobs.c.digest)
        )
        return self._page(query, limit, _blob)

    def discarded(self, cursor: str, limit: int) -> Scan[Garbage]:
        """Return bytes that are discarded already; see the port."""
        table = discarded_bytes.c
        query = (
            select(table.location, table.size, table.discarded_at, table.reason)
            .where(table.location > cursor)
            .order_by(table.location)
        )
        return self._page(query, limit, _bytes)

    def uploads(self, cursor: str, limit: int, before: float) -> Scan[Garbage]:
        """Return dead upload sessions; see the port."""
        table = uploads.c
        query = (
            select(table.id, table.size, table.touched_at, table.repository)
            .where(table.id > cursor, table.touched_at < before, table.leased_until < before)
            .order_by(table.id)
        )
        return self._page(query, limit, _upload)

    def sessions(self, ids: Collection[str]) -> Collection[str]:
        """Return the ids that have a session; see the port."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(uploads.c.id).where(uploads.c.id.in_(ids))))

    def _page(
        self, query: Select[Any], limit: int, told: Callable[[Row[Any]], tuple[str, Garbage]]
    ) -> Scan[Garbage]:
        with self._database.reading() as connection:
            page = [told(row) for row in connection.execute(query.limit(limit))]
        last = page[-1][0] if len(page) == limit else None
        return Scan([garbage for _, garbage in page], last, len(page))


def _link(row: Row[Any]) -> tuple[str, Garbage]:
    found = Garbage(Thing.LINK, Reason.UNREFERENCED, row.digest, row.size, row.linked_at, row.name)
    return f"{row.repository_id} {row.digest}", found


def _blob(row: Row[Any]) -> tuple[str, Garbage]:
    return row.digest, Garbage(Thing.BLOB, Reason.UNLINKED, row.digest, row.size, row.created_at)


def _bytes(row: Row[Any]) -> tuple[str, Garbage]:
    reason = Reason(row.reason)
    return row.location, Garbage(Thing.BYTES, reason, row.location, row.size, row.discarded_at)


def _upload(row: Row[Any]) -> tuple[str, Garbage]:
    found = Garbage(Thing.UPLOAD, Reason.EXPIRED, row.id, row.size, row.touched_at, row.repository)
    return row.id, found


def _pair(cursor: str) -> tuple[int, str]:
    repository, _, digest = cursor.partition(" ")
    return (int(repository), digest) if cursor else (0, "")
