"""The trash in the database.

An image goes there in the unit that removes it from its repository (`Bin.keep`, called by the
registry's store), so that its blobs are never without somebody who needs them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)

from wharfinger.database.dialect import insert
from wharfinger.database.effects import Enqueue
from wharfinger.database.unit import Database
from wharfinger.images.model.trash import TRIMMING, Trashed
from wharfinger.images.ports import Clock
from wharfinger.images.store.outside import IsDeleting
from wharfinger.images.tables import trash, trash_references, trash_tags
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.links import Charges, Uncounted, link_again
from wharfinger.registry.tables import (
    blobs,
    manifest_references,
    manifests,
    repositories,
    tags,
)

_KEPT: Final = (
    "digest",
    "media_type",
    "artifact_type",
    "subject",
    "annotations",
    "content",
    "config",
    "layers_size",
)
"""Columns that a manifest has here as there."""


class Bin:
    """Where manifests go that the registry removes (``registry.store.manifests.Retire``)."""

    def __init__(self, clock: Clock, enqueue: Enqueue, days: int) -> None:
        self._clock: Final = clock
        self._enqueue: Final = enqueue
        self._days: Final = days

    def keep(self, connection: Connection, repository: int, digest: str) -> None:
        """Put a manifest that is about to be removed into the trash, with its tags.

        One that was there already takes its former tags along. What is damaged is not kept.
        """
        found = select(repositories.c.region, repositories.c.account_id, repositories.c.name)
        place = connection.execute(found.where(repositories.c.id == repository)).first()
        if place is None or not self._days:
            return
        former = _remove(connection, place.region, place.name, digest)
        key = self._add(connection, repository, digest)
        if key is None:
            return
        _keep_tags(connection, key, repository, digest, former)
        _keep_references(connection, key, repository, digest)
        subject = {"region": place.region, "account": place.account_id}
        self._enqueue(connection, TRIMMING, "/".join(subject.values()), subject)

    def _add(self, connection: Connection, repository: int, digest: str) -> int | None:
        row = (
            select(
                repositories.c.region,
                repositories.c.account_id,
                repositories.c.namespace,
                repositories.c.name,
                literal(int(self._clock())),
                *(manifests.c[name] for name in _KEPT),
            )
            .join(repositories, repositories.c.id == manifests.c.repository_id)
            .where(
                manifests.c.repository_id == repository,
                manifests.c.digest == digest,
                manifests.c.damaged_at.is_(None),
            )
        )
        names = ["region", "account_id", "namespace", "repository", "deleted_at", *_KEPT]
        statement = insert(connection, trash).from_select(names, row).returning(trash.c.id)
        key: int | None = connection.scalar(statement)
        return key


def kept_in_trash(digest: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the trash needs a blob (``registry.store.collection.Keeper``)."""
    return exists().where(
        trash_references.c.child == digest, trash_references.c.kind == Kind.BLOB.value
    )


class SqlTrash:
    """The trash within one unit: what `SqlImageRecords` and `SqlImageChanges` use of it."""

    def __init__(self, connection: Connection, charges: Charges | None = None) -> None:
        self._connection: Final = connection
        self._charges: Final = charges or Uncounted()

    def page(
        self,
        region: str,
        namespaces: Collection[str],
        after: tuple[str, str],
        limit: int,
        since: int,
    ) -> Sequence[Trashed]:
        """Return a page of what the namespaces have in the trash; see the port."""
        repository, digest = after
        query = (
            select(trash.c.id, trash.c.repository, trash.c.digest, trash.c.deleted_at)
            .where(
                trash.c.region == region,
                trash.c.namespace.in_(namespaces),
                trash.c.deleted_at > since,
                or_(
                    trash.c.repository > repository,
                    and_(trash.c.repository == repository, trash.c.digest > digest),
                ),
            )
            .order_by(trash.c.repository, trash.c.digest)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        names = _tags_of(self._connection, [row.id for row in rows])
        return [Trashed(*row, names.get(row.id, ())) for row in rows]

    def find(self, place: Place, reference: str, since: int) -> Trashed | None:
        """Return the image in the trash, the one last deleted that had a tag; see the port."""
        query = select(trash.c.id, trash.c.repository, trash.c.digest, trash.c.deleted_at).where(
            trash.c.region == place.region,
            trash.c.repository == place.repository,
            trash.c.deleted_at > since,
        )
        if ":" in reference:
            query = query.where(trash.c.digest == reference)
        else:
            query = query.join(trash_tags, trash_tags.c.trash_id == trash.c.id)
            query = query.where(trash_tags.c.name == reference).order_by(trash.c.id.desc())
        row = self._connection.execute(query.limit(1).with_for_update(of=trash)).first()
        if row is None:
            return None
        return Trashed(*row, _tags_of(self._connection, [row.id]).get(row.id, ()))

    def listed(self, entry: int) -> Sequence[str]:
        """Return the manifests that an entry lists."""
        query = select(trash_references.c.child).where(
            trash_references.c.trash_id == entry,
            trash_references.c.kind == Kind.MANIFEST.value,
        )
        return list(self._connection.scalars(query.order_by(trash_references.c.child)))

    def add_back(self, entry: int, repository: int, at: int) -> None:
        """Let the repository have the manifest again; its blobs are not shown yet."""
        connection = self._connection
        row = select(literal(repository), literal(at), *(trash.c[name] for name in _KEPT)).where(
            trash.c.id == entry
        )
        statement = insert(connection, manifests).from_select(
            ["repository_id", "pushed_at", *_KEPT], row
        )
        connection.execute(statement.on_conflict_do_nothing())
        kept = trash_references.c
        references = (
            select(literal(repository), trash.c.digest, kept.child, kept.kind)
            .join(trash, trash.c.id == kept.trash_id)
            .where(kept.trash_id == entry)
        )
        statement = insert(connection, manifest_references).from_select(
            ["repository_id", "manifest", "child", "kind"], references
        )
        connection.execute(statement.on_conflict_do_nothing())

    def blobs(self, entries: Collection[int]) -> Mapping[str, int]:
        """Return the blobs that entries need, with their sizes."""
        query = select(trash_references.c.child, trash_references.c.size).where(
            trash_references.c.trash_id.in_(entries),
            trash_references.c.kind == Kind.BLOB.value,
        )
        return dict(pairs(self._connection, query))

    def show(self, repository: int, sizes: Mapping[str, int], at: int) -> None:
        """Show blobs in the repository: the last that a unit does; the quota is asked."""
        link_again(self._connection, self._charges, repository, sizes, at)

    def take_out(self, entry: int, names: Collection[str] | None) -> None:
        """Remove tags from an entry, and the entry if it has no other; None stands for all."""
        if names is not None:
            of_it = and_(trash_tags.c.trash_id == entry, trash_tags.c.name.in_(names))
            self._connection.execute(delete(trash_tags).where(of_it))
            left = select(trash_tags.c.name).where(trash_tags.c.trash_id == entry).limit(1)
            if self._connection.scalar(left) is not None:
                return
        self._connection.execute(delete(trash).where(trash.c.id == entry))


class SqlTrashUpkeep:
    """Implements ``images.ports.TrashUpkeep`` over a database."""

    def __init__(self, database: Database, is_deleting: IsDeleting) -> None:
        self._database: Final = database
        self._is_deleting: Final = is_deleting

    def expire(self, before: int, limit: int) -> int:
        """Remove what was deleted by ``before``; see the port."""
        return self._remove(select(trash.c.id).where(trash.c.deleted_at <= before), limit)

    def sizes(self, region: str, account: str) -> Sequence[tuple[int, int]]:
        """Return what each entry adds to those that are newer; see the port."""
        of_account = and_(trash.c.region == region, trash.c.account_id == account)
        # A blob counts with the newest entry that has it.
        newest = (
            select(
                func.max(trash.c.id).label("entry"), func.max(trash_references.c.size).label("size")
            )
            .join(trash, trash.c.id == trash_references.c.trash_id)
            .where(of_account, trash_references.c.kind == Kind.BLOB.value)
            .group_by(trash_references.c.child)
            .subquery()
        )
        total = func.coalesce(func.sum(newest.c.size), 0)
        query = (
            select(trash.c.id, total)
            .outerjoin(newest, newest.c.entry == trash.c.id)
            .where(of_account)
            .group_by(trash.c.id)
            .order_by(trash.c.id.desc())
        )
        with self._database.reading() as connection:
            return [(int(row[0]), int(row[1])) for row in connection.execute(query)]

    def remove(self, region: str, account: str, up_to: int, limit: int) -> int:
        """Remove the account's entries up to a key; see the port."""
        query = select(trash.c.id).where(
            trash.c.region == region, trash.c.account_id == account, trash.c.id <= up_to
        )
        return self._remove(query, limit)

    def empty(self, region: str, namespace: str, limit: int) -> int:
        """Remove what a deleted namespace has there; see the port."""
        with self._database.writing() as connection:
            if not self._is_deleting(connection, region, namespace):
                return 0
            some = _in(region, namespace).limit(limit)
            return connection.execute(delete(trash).where(trash.c.id.in_(some))).rowcount

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many images a namespace has there; see the port."""
        query = select(func.count()).select_from(_in(region, namespace).subquery())
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def _remove(self, query: Select[Any], limit: int) -> int:
        chosen = query.order_by(trash.c.id).limit(limit).with_for_update(skip_locked=True)
        with self._database.writing() as connection:
            keys = list(connection.scalars(chosen))
            return connection.execute(delete(trash).where(trash.c.id.in_(keys))).rowcount


def pairs(connection: Connection, query: Select[Any]) -> Sequence[tuple[str, Any]]:
    """Return the rows of a query for two columns."""
    return [(row[0], row[1]) for row in connection.execute(query)]


def _in(region: str, namespace: str) -> Select[Any]:
    return select(trash.c.id).where(trash.c.region == region, trash.c.namespace == namespace)


def _remove(connection: Connection, region: str, repository: str, digest: str) -> Sequence[str]:
    """Remove the entry of this digest, if there is one; return the tags that it had."""
    found = connection.scalar(
        select(trash.c.id).where(
            trash.c.region == region, trash.c.repository == repository, trash.c.digest == digest
        )
    )
    if found is None:
        return ()
    names = _tags_of(connection, [found]).get(found, ())
    connection.execute(delete(trash).where(trash.c.id == found))
    return names


def _tags_of(connection: Connection, keys: Collection[int]) -> dict[int, tuple[str, ...]]:
    query = (
        select(trash_tags.c.trash_id, trash_tags.c.name)
        .where(trash_tags.c.trash_id.in_(keys))
        .order_by(trash_tags.c.name)
    )
    found: dict[int, tuple[str, ...]] = {}
    for key, name in connection.execute(query):
        found[key] = (*found.get(key, ()), name)
    return found


def _keep_tags(
    connection: Connection, key: int, repository: int, digest: str, former: Sequence[str]
) -> None:
    query = select(tags.c.name).where(tags.c.repository_id == repository, tags.c.digest == digest)
    names = {*former, *connection.scalars(query)}
    if names:
        rows = [{"trash_id": key, "name": name} for name in sorted(names)]
        connection.execute(insert(connection, trash_tags), rows)


def _keep_references(connection: Connection, key: int, repository: int, digest: str) -> None:
    references = manifest_references.c
    rows = (
        select(literal(key), references.child, references.kind, func.coalesce(blobs.c.size, 0))
        .outerjoin(
            blobs,
            and_(blobs.c.digest == references.child, references.kind == Kind.BLOB.value),
        )
        .where(references.repository_id == repository, references.manifest == digest)
    )
    names = ["trash_id", "child", "kind", "size"]
    connection.execute(insert(connection, trash_references).from_select(names, rows))
