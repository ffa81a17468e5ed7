"""What nothing needs, and its removal.

Locks, where the database has them (PostgreSQL, READ COMMITTED): whoever begins to use a blob
holds its link (a manifest) or its row (a push, a mount) with FOR KEY SHARE until the unit ends.
Collection takes FOR UPDATE SKIP LOCKED on what it means to remove, links before blobs, so it
waits for nobody and no circle can form; then a second statement, which sees all that was
committed before those locks were had, removes what still meets the condition. On SQLite one
writer at a time makes the same true.
"""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, tuple_

from wharfinger.blobstore.port import StoredObject
from wharfinger.database.dialect import insert
from wharfinger.database.unit import Database
from wharfinger.registry.model.collection import PassState, Reason
from wharfinger.registry.ports.collection import DiscardedBytes, Scan, UnusedLink
from wharfinger.registry.store.discards import Bytes, discard_bytes
from wharfinger.registry.store.links import (
    Charges,
    Collected,
    Uncounted,
    unlink_unused,
    unused_since,
)
from wharfinger.registry.tables import (
    blobs,
    collection_passes,
    discarded_bytes,
    repository_blobs,
    uploads,
)


class Keeper(Protocol):
    """What another room keeps though no repository shows it; ``app.py`` registers them."""

    def __call__(self, digest: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that the blob ``digest`` is kept.

        Whoever begins to keep a blob does so in the unit that takes it out of a repository, or
        holds the blob's row with FOR KEY SHARE meanwhile.
        """


class SqlCollectionRecords:
    """Implements ``registry.ports.collection.CollectionRecords`` over a database."""

    def __init__(
        self,
        database: Database,
        keepers: Sequence[Keeper] = (),
        charges: Charges | None = None,
    ) -> None:
        self._database: Final = database
        self._keepers: Final = tuple(keepers)
        self._charges: Final = charges or Uncounted()

    def unused_links(self, cursor: str, examine: int, limit: int, before: int) -> Scan[UnusedLink]:
        """Look for unused links; see the port."""
        table = repository_blobs.c
        query = (
            select(table.repository_id, table.digest, unused_since(before).label("unused"))
            .where(tuple_(table.repository_id, table.digest) > tuple_(*_link_of(cursor)))
            .order_by(table.repository_id, table.digest)
            .limit(examine)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found: list[UnusedLink] = []
        for seen, row in enumerate(rows, 1):
            if row.unused:
                found.append(UnusedLink(row.repository_id, row.digest))
            if len(found) == limit:
                return Scan(found, _cursor_of(found[-1]), seen)
        return Scan(found, _cursor_of(rows[-1]) if len(rows) == examine else None, len(rows))

    def unlink(self, links: Collection[UnusedLink], before: int) -> int:
        """Remove links that are still unused; see the port."""
        with self._database.writing() as connection:
            released = Collected(connection, self._charges)
            gone = unlink_unused(connection, released, links, before)
            released.settle()
            return len(gone)

    def unlinked_blobs(self, cursor: str, examine: int, limit: int) -> Scan[str]:
        """Look for blobs that nothing needs; see the port."""
        query = (
            select(blobs.c.digest, self._unneeded().label("unneeded"))
            .where(blobs.c.digest > cursor)
            .order_by(blobs.c.digest)
            .limit(examine)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found: list[str] = []
        for seen, row in enumerate(rows, 1):
            if row.unneeded:
                found.append(row.digest)
            if len(found) == limit:
                return Scan(found, found[-1], seen)
        return Scan(found, rows[-1].digest if len(rows) == examine else None, len(rows))

    def remove_blobs(self, digests: Collection[str], now: int) -> Sequence[DiscardedBytes]:
        """Remove blobs that nothing needs; see the port."""
        asked = select(blobs.c.digest).where(blobs.c.digest.in_(digests))
        with self._database.writing() as connection:
            locked = connection.scalars(asked.with_for_update(skip_locked=True)).all()
            gone = connection.execute(
                delete(blobs)
                .where(blobs.c.digest.in_(locked), self._unneeded())
                .returning(blobs.c.location, blobs.c.size)
            ).all()
            discard_bytes(connection, (Bytes(*row) for row in gone), Reason.UNLINKED, now)
        return [DiscardedBytes(*row) for row in gone]

    def discarded(self, cursor: str, limit: int, before: int) -> Scan[DiscardedBytes]:
        """Return bytes to delete; see the port."""
        table = discarded_bytes.c
        at, location = _discard_of(cursor)
        query = (
            select(table.location, table.size, table.discarded_at)
            .where(
                table.discarded_at <= before,
                tuple_(table.discarded_at, table.location) > tuple_(at, location),
                # No row can come to name them again; should a defect do it, they stay.
                ~exists().where(blobs.c.location == table.location),
            )
            .order_by(table.discarded_at, table.location)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        last = f"{rows[-1].discarded_at} {rows[-1].location}" if len(rows) == limit else None
        return Scan([DiscardedBytes(row.location, row.size) for row in rows], last, len(rows))

    def forget(self, locations: Collection[str]) -> None:
        """Take note that bytes are deleted; see the port."""
        statement = delete(discarded_bytes).where(discarded_bytes.c.location.in_(locations))
        with self._database.writing(durable=False) as connection:
            connection.execute(statement)

    def orphans(self, objects: Collection[StoredObject]) -> Sequence[StoredObject]:
        """Return objects that nothing names; see the port."""
        locations = [each.location for each in objects]
        sessions = [each.upload for each in objects if each.upload]
        in_blobs = select(blobs.c.location).where(blobs.c.location.in_(locations))
        in_discards = select(discarded_bytes.c.location).where(
            discarded_bytes.c.location.in_(locations)
        )
        alive: set[str] = set()
        with self._database.reading() as connection:
            named = {*connection.scalars(in_blobs), *connection.scalars(in_discards)}
            if sessions:
                alive |= set(
                    connection.scalars(select(uploads.c.id).where(uploads.c.id.in_(sessions)))
                )
        return [each for each in objects if each.location not in named and each.upload not in alive]

    def discard_orphans(self, objects: Collection[StoredObject], now: int) -> int:
        """Discard objects that no blob names; see the port."""
        named = select(blobs.c.location).where(
            blobs.c.location.in_([each.location for each in objects])
        )
        with self._database.writing() as connection:
            blessed = set(connection.scalars(named))
            gone = [each for each in objects if each.location not in blessed]
            discard_bytes(
                connection,
                (Bytes(each.location, each.size) for each in gone),
                Reason.ORPHANED,
                now,
            )
        return len(gone)

    def load(self, task: str) -> PassState:
        """Return how far a pass has come; see the port."""
        table = collection_passes.c
        query = select(
            table.cursor,
            table.begun_at,
            table.ended_at,
            table.examined,
            table.removed,
            table.bytes,
        ).where(table.task == task)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return PassState() if row is None else PassState(*row)

    def save(self, task: str, state: PassState) -> None:
        """Write down how far a pass has come; see the port."""
        values = {
            "cursor": state.cursor,
            "begun_at": state.begun_at,
            "ended_at": state.ended_at,
            "examined": state.examined,
            "removed": state.removed,
            "bytes": state.size,
        }
        with self._database.writing(durable=False) as connection:
            statement = insert(connection, collection_passes).values(task=task, **values)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["task"], set_=values)
            )

    def _unneeded(self) -> ColumnElement[bool]:
        shown = exists().where(repository_blobs.c.digest == blobs.c.digest)
        return unneeded(shown, self._keepers)


def unneeded(shown: ColumnElement[bool], keepers: Sequence[Keeper]) -> ColumnElement[bool]:
    """Return the condition that a row of ``blobs`` is neither shown nor kept."""
    kept = [keeper(blobs.c.digest) for keeper in keepers]
    return and_(~or_(shown, *kept))


def _cursor_of(link: tuple[int, str]) -> str:
    return f"{link[0]} {link[1]}"


def _link_of(cursor: str) -> tuple[int, str]:
    repository, _, digest = cursor.partition(" ")
    return (int(repository), digest) if cursor else (0, "")


def _discard_of(cursor: str) -> tuple[int, str]:
    at, _, location = cursor.partition(" ")
    return (int(at), location) if cursor else (0, "")
