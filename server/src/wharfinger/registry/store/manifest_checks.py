"""Manifests, references and tags, for checking them against each other.

Repairs lock the repository first, as those do who remove manifests (`registry.store.manifests`):
what is found wrong under that lock is wrong, and nobody changes it meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    select,
    tuple_,
    update,
)
from sqlalchemy import insert as plain_insert

from wharfinger.database.unit import Database
from wharfinger.registry.model.checking import ManifestRow, StrayRow, TagRow
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.store.blobs import stored_blob
from wharfinger.registry.store.copies import copy_manifest
from wharfinger.registry.store.links import Uncounted, link_again
from wharfinger.registry.tables import (
    manifest_references,
    manifests,
    repositories,
    repository_blobs,
    tags,
)
from wharfinger_common.digests import Digest

# Databases limit the parameters of one statement.
_DIGESTS_PER_STATEMENT: Final = 500
_SOURCES: Final = 4


class SqlManifestChecks:
    """Implements ``registry.ports.checking.ManifestChecks`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def manifests(self, after: int, limit: int) -> Sequence[ManifestRow]:
        """Return manifests with what is written down of their needs; see the port."""
        query = _MANIFESTS.where(manifests.c.id > after).order_by(manifests.c.id).limit(limit)
        with self._database.reading() as connection:
            return _with_needs(connection, query)

    def manifest(self, key: int) -> ManifestRow | None:
        """Return one manifest; see the port."""
        with self._database.reading() as connection:
            found = _with_needs(connection, _MANIFESTS.where(manifests.c.id == key))
        return found[0] if found else None

    def absent(self, repository: int, needs: Mapping[str, Kind]) -> Collection[str]:
        """Return what the repository does not have; see the port."""
        blobs = {digest for digest, kind in needs.items() if kind is Kind.BLOB}
        others = set(needs) - blobs
        shown = select(repository_blobs.c.digest).where(
            repository_blobs.c.repository_id == repository
        )
        there = select(manifests.c.digest).where(manifests.c.repository_id == repository)
        with self._database.reading() as connection:
            blobs -= _found(connection, shown, repository_blobs.c.digest, blobs)
            others -= _found(connection, there, manifests.c.digest, others)
        return blobs | others

    def copies(self, digest: str, limit: int) -> Sequence[bytes]:
        """Return what stands elsewhere under the digest; see the port."""
        query = select(manifests.c.content).where(
            manifests.c.digest == digest, manifests.c.damaged_at.is_(None)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(manifests.c.id).limit(limit)))

    def fence_manifest(self, row: ManifestRow, now: int) -> bool:
        """Let the manifest count as missing; see the port."""
        return self._update(row, {"damaged_at": now})

    def restore(self, row: ManifestRow, content: bytes) -> bool:
        """Put the manifest right; see the port."""
        return self._update(row, {"content": content, "damaged_at": None})

    def rewrite(self, row: ManifestRow, needs: Mapping[str, Kind]) -> bool:
        """Write needs down anew; see the port."""
        table = manifest_references.c
        of_it = and_(table.repository_id == row.repository, table.manifest == row.digest)
        rows = [
            {
                "repository_id": row.repository,
                "manifest": row.digest,
                "child": child,
                "kind": kind.value,
            }
            for child, kind in needs.items()
        ]
        with self._database.writing() as connection:
            _lock(connection, row.repository)
            if connection.scalar(select(manifests.c.id).where(manifests.c.id == row.id)) is None:
                return False
            connection.execute(delete(manifest_references).where(of_it))
            if rows:
                connection.execute(plain_insert(manifest_references), rows)
            return True

    def relink(self, row: ManifestRow, child: str, now: int) -> bool:
        """Show a blob again; see the port."""
        table = manifest_references.c
        needed = select(table.child).where(
            table.repository_id == row.repository,
            table.manifest == row.digest,
            table.child == child,
        )
        with self._database.writing() as connection:
            _lock(connection, row.repository)
            if connection.scalar(needed) is None:
                return False
            blob = stored_blob(connection, child, lock=True)
            if blob is None:
                return False
            # A quota must not stand in the way of a repair; storage is counted anew afterwards.
            link_again(connection, Uncounted(), row.repository, {child: blob.size}, now)
            return True

    def adopt(self, row: ManifestRow, child: str, now: int) -> bool:
        """Copy a listed manifest from the account's other repositories; see the port."""
        for source, content in self._elsewhere(row, child):
            if str(Digest.of(content, Digest.parse(child).algorithm)) != child:
                continue
            with self._database.writing() as connection:
                # In one order, as all who hold several.
                for repository in sorted((row.repository, source)):
                    _lock(connection, repository)
                gone = connection.scalar(_MANIFESTS.where(manifests.c.id == row.id)) is None
                if not gone and copy_manifest(
                    connection, Uncounted(), source, row.repository, child, now
                ):
                    return True
        return False

    def _elsewhere(self, row: ManifestRow, child: str) -> Sequence[tuple[int, bytes]]:
        """Return which repositories of the same account have the manifest, and its bytes there."""
        own = select(repositories.c.region, repositories.c.account_id)
        same = tuple_(repositories.c.region, repositories.c.account_id).in_(
            own.where(repositories.c.id == row.repository)
        )
        query = (
            select(manifests.c.repository_id, manifests.c.content)
            .join(repositories, repositories.c.id == manifests.c.repository_id)
            .where(same, manifests.c.digest == child, manifests.c.damaged_at.is_(None))
            .order_by(manifests.c.repository_id)
            .limit(_SOURCES)
        )
        with self._database.reading() as connection:
            return [(one.repository_id, one.content) for one in connection.execute(query)]

    def dangling_tags(self, after: tuple[int, str], limit: int) -> Sequence[TagRow]:
        """Return tags that lead nowhere; see the port."""
        key = tuple_(tags.c.repository_id, tags.c.name)
        query = (
            select(tags.c.repository_id, repositories.c.name, tags.c.name, tags.c.digest)
            .join(repositories, repositories.c.id == tags.c.repository_id)
            .where(key > tuple_(*after), _DANGLING)
            .order_by(tags.c.repository_id, tags.c.name)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [TagRow(*row) for row in connection.execute(query)]

    def remove_tag(self, row: TagRow) -> bool:
        """Remove a tag that leads nowhere; see the port."""
        of_it = and_(tags.c.repository_id == row.repository, tags.c.name == row.tag)
        with self._database.writing() as connection:
            _lock(connection, row.repository)
            gone = connection.execute(delete(tags).where(of_it, _DANGLING))
            return gone.rowcount > 0

    def stray_needs(self, after: tuple[int, str], limit: int) -> Sequence[StrayRow]:
        """Return needs of manifests that are not there; see the port."""
        table = manifest_references.c
        query = (
            select(table.repository_id, repositories.c.name, table.manifest)
            .join(repositories, repositories.c.id == table.repository_id)
            .where(tuple_(table.repository_id, table.manifest) > tuple_(*after), _STRAY)
            .distinct()
            .order_by(table.repository_id, table.manifest)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [StrayRow(*row) for row in connection.execute(query)]

    def remove_needs(self, row: StrayRow) -> bool:
        """Remove needs of a manifest that is not there; see the port."""
        table = manifest_references.c
        of_it = and_(table.repository_id == row.repository, table.manifest == row.digest)
        with self._database.writing() as connection:
            _lock(connection, row.repository)
            gone = connection.execute(delete(manifest_references).where(of_it, _STRAY))
            return gone.rowcount > 0

    def _update(self, row: ManifestRow, values: dict[str, Any]) -> bool:
        same = and_(manifests.c.id == row.id, manifests.c.content == row.content)
        statement = update(manifests).where(same).values(values)
        with self._database.writing() as connection:
            return connection.execute(statement).rowcount > 0


_MANIFESTS: Final[Select[Any]] = select(
    manifests.c.id,
    manifests.c.repository_id,
    repositories.c.name,
    manifests.c.digest,
    manifests.c.media_type,
    manifests.c.content,
    manifests.c.damaged_at,
).join(repositories, repositories.c.id == manifests.c.repository_id)
_DANGLING: Final = ~exists().where(
    manifests.c.repository_id == tags.c.repository_id, manifests.c.digest == tags.c.digest
)
_STRAY: Final = ~exists().where(
    manifests.c.repository_id == manifest_references.c.repository_id,
    manifests.c.digest == manifest_references.c.manifest,
)


def _with_needs(connection: Connection, query: Select[Any]) -> Sequence[ManifestRow]:
    rows = connection.execute(query).all()
    needs = _needs(connection, rows)
    return [
        ManifestRow(
            row.id,
            row.repository_id,
            row.name,
            row.digest,
            row.media_type,
            row.content,
            row.damaged_at is not None,
            needs[row.repository_id, row.digest],
        )
        for row in rows
    ]


def _needs(
    connection: Connection, rows: Sequence[Row[Any]]
) -> Mapping[tuple[int, str], dict[str, Kind]]:
    """Return what is written down of these manifests, one repository at a time."""
    table = manifest_references.c
    found: dict[tuple[int, str], dict[str, Kind]] = defaultdict(dict)
    by_repository: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        by_repository[row.repository_id].append(row.digest)
    for repository, digests in by_repository.items():
        query = select(table.manifest, table.child, table.kind).where(
            table.repository_id == repository, table.manifest.in_(digests)
        )
        for manifest, child, kind in connection.execute(query):
            found[repository, manifest][child] = Kind(kind)
    return found


def _found(
    connection: Connection, query: Select[Any], column: ColumnElement[str], digests: Collection[str]
) -> set[str]:
    ordered = sorted(digests)
    found: set[str] = set()
    for start in range(0, len(ordered), _DIGESTS_PER_STATEMENT):
        some = ordered[start : start + _DIGESTS_PER_STATEMENT]
        found |= set(connection.scalars(query.where(column.in_(some))))
    return found


def _lock(connection: Connection, repository: int) -> None:
    row = select(repositories.c.id).where(repositories.c.id == repository)
    connection.execute(row.with_for_update())
