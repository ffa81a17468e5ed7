"""The adapter of the images' store, for SQLite and PostgreSQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, and_, func, select

from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.images.model.inspection import Stored
from wharfinger.images.model.listing import Listed, Scope, Tagged
from wharfinger.images.model.retention import Candidate
from wharfinger.images.model.trash import Trashed
from wharfinger.images.ports import Clock
from wharfinger.images.store import retention, rows
from wharfinger.images.store.trash import SqlTrash
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.blobs import HoldNamespace
from wharfinger.registry.store.copies import copy_manifest
from wharfinger.registry.store.links import Charges, Collected, Uncounted
from wharfinger.registry.store.manifests import Retire, SqlManifestChanges
from wharfinger.registry.store.repositories import named
from wharfinger.registry.tables import (
    blobs,
    manifest_references,
    manifests,
    repositories,
    tags,
)

# Databases limit the parameters of one statement.
_NAMES_PER_STATEMENT: Final = 500


class SqlImageStore:
    """Implements ``images.ports.ImageStore`` over a database."""

    def __init__(
        self,
        database: Database,
        *,
        hold_namespace: HoldNamespace,
        record: Recorder,
        clock: Clock,
        retire: Retire | None = None,
        charges: Charges | None = None,
    ) -> None:
        self._database: Final = database
        self._retire: Final = retire
        self._charges: Final = charges or Uncounted()
        self._hold_namespace: Final = hold_namespace
        self._record: Final = record
        self._clock: Final = clock

    @contextmanager
    def reading(self) -> Iterator["SqlImageRecords"]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlImageRecords(connection)

    @contextmanager
    def writing(self) -> Iterator["SqlImageChanges"]:
        """Enter a durable writing unit."""
        with self._database.writing() as connection:
            charges = Collected(connection, self._charges)
            yield SqlImageChanges(
                connection,
                self._hold_namespace,
                self._retire,
                charges,
                self._record,
                int(self._clock()),
            )
            charges.settle()


class SqlImageRecords:
    """Implements ``images.ports.Records`` over the connection of a unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def page(
        self, scope: Scope, after: tuple[str, str], limit: int, tagged: Tagged, *, indexes: bool
    ) -> Sequence[Listed]:
        """Return a page of manifests; see the port."""
        return rows.page(self._connection, scope, after, limit, tagged, indexes=indexes)

    def find(self, place: Place, reference: str) -> Stored | None:
        """Return a manifest with its bytes; see the port."""
        query = (
            select(
                manifests.c.digest,
                manifests.c.media_type,
                manifests.c.content,
                manifests.c.layers_size,
                func.coalesce(manifests.c.config, ""),
                func.coalesce(blobs.c.size, 0),
                func.coalesce(blobs.c.location, ""),
            )
            .join(repositories, repositories.c.id == manifests.c.repository_id)
            .outerjoin(blobs, blobs.c.digest == manifests.c.config)
            .where(named(place))
        )
        if ":" in reference:
            query = query.where(manifests.c.digest == reference)
        else:
            of_it = and_(
                tags.c.repository_id == manifests.c.repository_id,
                tags.c.digest == manifests.c.digest,
            )
            query = query.join(tags, of_it).where(tags.c.name == reference)
        row = self._connection.execute(query).first()
        return None if row is None else Stored(*row)

    def children(self, place: Place, digest: str) -> Sequence[str]:
        """Return what a manifest lists; see the port."""
        query = (
            select(manifest_references.c.child)
            .join(repositories, repositories.c.id == manifest_references.c.repository_id)
            .where(
                named(place),
                manifest_references.c.manifest == digest,
                manifest_references.c.kind == Kind.MANIFEST.value,
            )
            .order_by(manifest_references.c.child)
        )
        return list(self._connection.scalars(query))

    def referrers(self, place: Place, digest: str, limit: int) -> Sequence[str]:
        """Return what refers to a manifest; see the port."""
        query = (
            select(manifests.c.digest)
            .join(repositories, repositories.c.id == manifests.c.repository_id)
            .where(named(place), manifests.c.subject == digest)
            .order_by(manifests.c.digest)
            .limit(limit)
        )
        return list(self._connection.scalars(query))

    def tags_among(self, place: Place, names: Collection[str]) -> Mapping[str, str]:
        """Return those of the tags that are there; see the port."""
        query = (
            select(tags.c.name, tags.c.digest)
            .join(repositories, repositories.c.id == tags.c.repository_id)
            .where(named(place), tags.c.name.in_(names))
        )
        return {row.name: row.digest for row in self._connection.execute(query)}

    def repository_behind(self, region: str, namespace: str, after: str) -> str | None:
        """Return the next repository of a namespace; see the port."""
        return retention.repository_behind(self._connection, region, namespace, after)

    def candidates(self, place: Place) -> Sequence[Candidate]:
        """Return what a retention policy decides about; see the port."""
        return retention.candidates(self._connection, place)

    def push_begun(self, place: Place, since: int) -> int | None:
        """Return when the oldest push that is under way began; see the port."""
        return retention.push_begun(self._connection, place, since)

    def trashed(
        self,
        region: str,
        namespaces: Collection[str],
        after: tuple[str, str],
        limit: int,
        since: int,
    ) -> Sequence[Trashed]:
        """Return a page of the trash; see the port."""
        return SqlTrash(self._connection).page(region, namespaces, after, limit, since)


class SqlImageChanges(SqlManifestChanges):
    """Implements ``images.ports.Changes`` over the connection of a writing unit."""

    def __init__(
        self,
        connection: Connection,
        hold_namespace: HoldNamespace,
        retire: Retire | None,
        charges: Charges,
        record: Recorder,
        at: int,
    ) -> None:
        super().__init__(connection, hold_namespace, retire, charges)
        self._trash: Final = SqlTrash(connection, charges)
        self._record: Final = record
        self._at: Final = at

    def digest_of(self, repository: int, tag: str) -> str | None:
        """Return the digest that a tag leads to; see the port."""
        query = select(tags.c.digest).where(tags.c.repository_id == repository, tags.c.name == tag)
        return self._connection.scalar(query)

    def config_of(self, repository: int, digest: str) -> str | None:
        """Return the config of a manifest; see the port."""
        query = select(func.coalesce(manifests.c.config, "")).where(
            manifests.c.repository_id == repository, manifests.c.digest == digest
        )
        found: str | None = self._connection.scalar(query)
        return found

    def share(self, place: Place) -> int | None:
        """Return the key of a repository that loses nothing meanwhile; see the port."""
        query = select(repositories.c.id).where(named(place))
        return self._connection.scalar(query.with_for_update(read=True, key_share=True))

    def copy(self, source: int, target: int, digest: str, at: int) -> bool:
        """Let ``target`` have a manifest of ``source``; see the port."""
        return copy_manifest(self._connection, self._charges, source, target, digest, at)

    def take_from_trash(self, place: Place, reference: str, since: int) -> Trashed | None:
        """Return an image in the trash; see the port."""
        return self._trash.find(place, reference, since)

    def listed_in_trash(self, entry: Trashed) -> Sequence[str]:
        """Return the manifests that it lists; see the port."""
        return self._trash.listed(entry.id)

    def blobs_in_trash(self, entries: Collection[Trashed]) -> Mapping[str, int]:
        """Return the blobs that these images need; see the port."""
        return self._trash.blobs([entry.id for entry in entries])

    def tags_among(self, repository: int, names: Collection[str]) -> Mapping[str, str]:
        """Return those of the tags that are there; see the port."""
        found: dict[str, str] = {}
        query = select(tags.c.name, tags.c.digest).where(tags.c.repository_id == repository)
        ordered = sorted(names)
        for start in range(0, len(ordered), _NAMES_PER_STATEMENT):
            some = tags.c.name.in_(ordered[start : start + _NAMES_PER_STATEMENT])
            found.update(
                (name, digest) for name, digest in self._connection.execute(query.where(some))
            )
        return found

    def add_back(self, entry: Trashed, repository: int, at: int) -> None:
        """Let the repository have a manifest again; see the port."""
        self._trash.add_back(entry.id, repository, at)

    def take_out(self, entry: Trashed, names: Collection[str] | None) -> None:
        """Remove tags from an entry; see the port."""
        self._trash.take_out(entry.id, names)

    def show(self, repository: int, sizes: Mapping[str, int], at: int) -> None:
        """Show blobs in the repository; see the port."""
        self._trash.show(repository, sizes, at)

    def audit(self, caller: Caller, action: str, target: str, detail: Mapping[str, object]) -> None:
        """Leave an audit row; see the port."""
        self._record(
            self._connection,
            at=self._at,
            account=caller.account,
            actor=caller.iam_id,
            action=action,
            target=f"image:{target}",
            request_id=caller.request_id,
            detail={"region": caller.region, **detail},
        )
