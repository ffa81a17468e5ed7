"""Manifests, what they reference, and the tags that lead to them, in the database.

Units that add manifests to a repository run side by side where the database lets them; one that
removes a manifest has the repository for itself (`lock`), so that what it finds unused is unused.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    literal,
    select,
    update,
)

from wharfinger.database.dialect import insert
from wharfinger.database.unit import Database
from wharfinger.registry.model.configs import ConfigFacts
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.manifests import NewManifest, StoredManifest
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.blobs import HoldNamespace, require_repository_row
from wharfinger.registry.store.configs import add_facts
from wharfinger.registry.store.links import Charges, Collected, Uncounted, unlink_released
from wharfinger.registry.store.repositories import named
from wharfinger.registry.tables import (
    blobs,
    manifest_references,
    manifests,
    repositories,
    repository_blobs,
    tags,
)
from wharfinger_common.digests import Digest

# Databases limit the parameters of one statement.
_DIGESTS_PER_STATEMENT: Final = 500


class Retire(Protocol):
    """Told of each manifest that a unit is about to remove, in that unit; wired from images."""

    def __call__(self, connection: Connection, repository: int, digest: str) -> None:
        """Keep of it what is to outlive it."""


class SqlManifestStore:
    """Implements ``registry.ports.ManifestStore`` over a database."""

    def __init__(
        self,
        database: Database,
        hold_namespace: HoldNamespace,
        retire: Retire | None = None,
        charges: Charges | None = None,
    ) -> None:
        self._database: Final = database
        self._hold_namespace: Final = hold_namespace
        self._retire: Final = retire
        self._charges: Final = charges or Uncounted()

    @contextmanager
    def reading(self) -> Iterator["SqlManifestRecords"]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlManifestRecords(connection)

    @contextmanager
    def writing(self) -> Iterator["SqlManifestChanges"]:
        """Enter a durable writing unit."""
        with self._database.writing() as connection:
            charges = Collected(connection, self._charges)
            yield SqlManifestChanges(connection, self._hold_namespace, self._retire, charges)
            charges.settle()


class SqlManifestRecords:
    """Implements ``registry.ports.ManifestRecords`` over the connection of a unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def exists(self, place: Place) -> bool:
        """Whether the repository exists; see the port."""
        return self._connection.scalar(select(repositories.c.id).where(named(place))) is not None

    def find(
        self, place: Place, reference: Digest | str, *, content: bool
    ) -> StoredManifest | None:
        """Return the manifest of a digest or tag; see the port."""
        query = _found(reference, content=content).where(named(place))
        row = self._connection.execute(query).first()
        if row is None:
            return None
        digest, media_type, size, held, damaged_at = row
        return StoredManifest(digest, media_type, size, held, damaged_at is not None)


class SqlManifestChanges:
    """Implements ``registry.ports.ManifestChanges`` over the connection of a writing unit."""

    def __init__(
        self,
        connection: Connection,
        hold_namespace: HoldNamespace,
        retire: Retire | None = None,
        charges: Charges | None = None,
    ) -> None:
        self._connection: Final = connection
        self._hold_namespace: Final = hold_namespace
        self._retire: Final = retire
        self._charges: Final = charges or Uncounted()

    def open(self, place: Place, account: str, at: int) -> int:
        """Return the key of the repository, added if missing; see the port."""
        key = require_repository_row(
            self._connection, self._hold_namespace, place.region, account, place.repository, at
        )
        # Waits for, and holds off, a unit that removes a manifest here.
        row = select(repositories.c.id).where(repositories.c.id == key)
        self._connection.execute(row.with_for_update(read=True, key_share=True))
        return key

    def lock(self, place: Place) -> int | None:
        """Return the key of the repository, which others wait for; see the port."""
        query = select(repositories.c.id).where(named(place)).with_for_update()
        return self._connection.scalar(query)

    def blob_sizes(self, repository: int, digests: Collection[str]) -> Mapping[str, int]:
        """Return the sizes of blobs that are there; see the port."""
        query = (
            select(blobs.c.digest, blobs.c.size)
            .join(repository_blobs, repository_blobs.c.digest == blobs.c.digest)
            .where(repository_blobs.c.repository_id == repository)
            .order_by(blobs.c.digest)
            .with_for_update(read=True, key_share=True, of=repository_blobs)
        )
        return self._sizes(query, repository_blobs.c.digest, digests)

    def manifest_sizes(self, repository: int, digests: Collection[str]) -> Mapping[str, int]:
        """Return the sizes of manifests that are there; see the port."""
        query = select(manifests.c.digest, func.length(manifests.c.content)).where(
            manifests.c.repository_id == repository
        )
        return self._sizes(query, manifests.c.digest, digests)

    def add(self, repository: int, manifest: NewManifest, at: int) -> str:
        """Add the manifest unless it is there; see the port."""
        row = _row(manifest)
        statement = insert(self._connection, manifests).values(
            row | {"repository_id": repository, "pushed_at": at}
        )
        if not self._connection.execute(statement.on_conflict_do_nothing()).rowcount:
            self._heal(repository, manifest.digest, row)
        self._add_references(repository, manifest)
        query = select(manifests.c.media_type).where(_is(repository, manifest.digest))
        return str(self._connection.execute(query).scalar_one())

    def describe(self, config: str, facts: ConfigFacts) -> None:
        """Write down the facts of a config; see the port."""
        add_facts(self._connection, config, facts)

    def move_tags(self, repository: int, names: Collection[str], digest: str, at: int) -> None:
        """Let tags lead to the manifest; see the port."""
        statement = insert(self._connection, tags)
        statement = statement.on_conflict_do_update(
            index_elements=["repository_id", "name"],
            set_={"digest": statement.excluded.digest, "updated_at": statement.excluded.updated_at},
        )
        # In one order, so that two units never wait for each other.
        rows = [
            {"repository_id": repository, "name": name, "digest": digest, "updated_at": at}
            for name in sorted(set(names))
        ]
        if rows:
            self._connection.execute(statement, rows)

    def remove_tag(self, repository: int, tag: str) -> bool:
        """Remove a tag; see the port."""
        statement = delete(tags).where(tags.c.repository_id == repository, tags.c.name == tag)
        return self._connection.execute(statement).rowcount > 0

    def parent(self, repository: int, digest: str) -> str | None:
        """Return a manifest that lists this one; see the port."""
        query = select(manifest_references.c.manifest).where(
            manifest_references.c.repository_id == repository,
            manifest_references.c.child == digest,
            manifest_references.c.kind == Kind.MANIFEST.value,
        )
        return self._connection.scalar(query.limit(1))

    def remove(self, repository: int, digest: str) -> bool:
        """Remove the manifest with what only it held; see the port."""
        if self._retire is not None:
            self._retire(self._connection, repository, digest)
        unlink_released(self._connection, self._charges, repository, digest)
        for statement in (
            delete(manifest_references).where(_held_by(repository, digest)),
            delete(tags).where(tags.c.repository_id == repository, tags.c.digest == digest),
        ):
            self._connection.execute(statement)
        gone = self._connection.execute(delete(manifests).where(_is(repository, digest)))
        return gone.rowcount > 0

    def _heal(self, repository: int, digest: str, row: dict[str, Any]) -> None:
        """Put what was just verified in the place of what is known to be damaged."""
        damaged = and_(_is(repository, digest), manifests.c.damaged_at.is_not(None))
        statement = update(manifests).where(damaged).values(row | {"damaged_at": None})
        if self._connection.execute(statement).rowcount:
            self._connection.execute(
                delete(manifest_references).where(_held_by(repository, digest))
            )

    def _add_references(self, repository: int, manifest: NewManifest) -> None:
        rows = [
            {
                "repository_id": repository,
                "manifest": manifest.digest,
                "child": child,
                "kind": kind.value,
            }
            for child, kind in manifest.references.items()
        ]
        if rows:
            statement = insert(self._connection, manifest_references)
            self._connection.execute(statement.on_conflict_do_nothing(), rows)

    def _sizes(
        self, query: Select[Any], digest: ColumnElement[str], wanted: Collection[str]
    ) -> Mapping[str, int]:
        sizes: dict[str, int] = {}
        ordered = sorted(wanted)
        for start in range(0, len(ordered), _DIGESTS_PER_STATEMENT):
            some = ordered[start : start + _DIGESTS_PER_STATEMENT]
            sizes.update(_pairs(self._connection, query.where(digest.in_(some))))
        return sizes


def _found(reference: Digest | str, *, content: bool) -> Select[Any]:
    query = select(
        manifests.c.digest,
        manifests.c.media_type,
        func.length(manifests.c.content),
        manifests.c.content if content else literal(b""),
        manifests.c.damaged_at,
    ).join(repositories, repositories.c.id == manifests.c.repository_id)
    if isinstance(reference, Digest):
        return query.where(manifests.c.digest == str(reference))
    return query.join(
        tags,
        and_(
            tags.c.repository_id == manifests.c.repository_id, tags.c.digest == manifests.c.digest
        ),
    ).where(tags.c.name == reference)


def _pairs(connection: Connection, query: Select[Any]) -> Sequence[tuple[str, int]]:
    return [(row[0], row[1]) for row in connection.execute(query)]


def _row(manifest: NewManifest) -> dict[str, Any]:
    parsed = manifest.parsed
    # Only lists of referrers read annotations from the row; all else has the content.
    annotations = parsed.annotations if parsed.subject else {}
    return {
        "digest": manifest.digest,
        "media_type": parsed.media_type,
        "artifact_type": parsed.artifact_type,
        "subject": parsed.subject,
        "annotations": msgspec.json.encode(annotations).decode(),
        "content": manifest.content,
        "config": manifest.config,
        "layers_size": parsed.layers_size,
    }


def _is(repository: int, digest: str) -> ColumnElement[bool]:
    return and_(manifests.c.repository_id == repository, manifests.c.digest == digest)


def _held_by(repository: int, digest: str) -> ColumnElement[bool]:
    return and_(
        manifest_references.c.repository_id == repository, manifest_references.c.manifest == digest
    )
