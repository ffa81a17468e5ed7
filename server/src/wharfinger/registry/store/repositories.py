"""Repositories in the database, and their end with their namespace."""

from typing import Final, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    and_,
    delete,
    func,
    select,
    tuple_,
)

from wharfinger.database.unit import Database
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.links import Charges, Collected, Uncounted, unlink_some
from wharfinger.registry.tables import (
    manifest_references,
    manifests,
    repositories,
    tags,
)


class IsDeleting(Protocol):
    """Tells, within a transaction, whether a namespace is being deleted, and keeps it so."""

    def __call__(self, connection: Connection, region: str, name: str) -> bool:
        """Whether the namespace exists and is being deleted."""


class SqlNamespaceContents:
    """Implements ``registry.ports.NamespaceContents`` over a database."""

    def __init__(
        self, database: Database, is_deleting: IsDeleting, charges: Charges | None = None
    ) -> None:
        self._database: Final = database
        self._is_deleting: Final = is_deleting
        self._charges: Final = charges or Uncounted()

    def delete_batch(self, region: str, namespace: str, limit: int) -> int:
        """Delete some of what a deleted namespace holds; see the port."""
        with self._database.writing() as connection:
            # A worker that was held up may come when the name is somebody else's already.
            if not self._is_deleting(connection, region, namespace):
                return 0
            gone, released = 0, Collected(connection, self._charges)
            while gone < limit:
                # Held as by whoever removes a manifest there: both go through many rows.
                chosen = _in(region, namespace).order_by(repositories.c.id).limit(1)
                repository = connection.execute(chosen.with_for_update()).scalar()
                if repository is None:
                    break
                gone += _empty(connection, released, repository, limit - gone)
            released.settle()
            return gone

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many repositories are left; see the port."""
        query = select(func.count()).select_from(_in(region, namespace).subquery())
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()


def named(place: Place) -> ColumnElement[bool]:
    """Return the condition that a row of ``repositories`` is the one at ``place``."""
    return and_(repositories.c.region == place.region, repositories.c.name == place.repository)


def _in(region: str, namespace: str) -> Select[int]:
    return select(repositories.c.id).where(
        repositories.c.region == region, repositories.c.namespace == namespace
    )


def _empty(connection: Connection, charges: Charges, repository: int, limit: int) -> int:
    """Delete at most ``limit`` rows of a repository, its own last; return how many went."""
    gone = 0
    for batch in (_tags, _references, _manifests):
        gone += connection.execute(batch(repository, limit - gone)).rowcount
        if gone >= limit:
            return gone
    gone += unlink_some(connection, charges, repository, limit - gone)
    if gone >= limit:
        return gone
    connection.execute(delete(repositories).where(repositories.c.id == repository))
    return gone + 1


def _tags(repository: int, limit: int) -> Delete:
    some = select(tags.c.name).where(tags.c.repository_id == repository).limit(limit)
    return delete(tags).where(tags.c.repository_id == repository, tags.c.name.in_(some))


def _references(repository: int, limit: int) -> Delete:
    table = manifest_references.c
    some = select(table.manifest, table.child).where(table.repository_id == repository)
    return delete(manifest_references).where(
        table.repository_id == repository,
        tuple_(table.manifest, table.child).in_(some.limit(limit)),
    )


def _manifests(repository: int, limit: int) -> Delete:
    some = select(manifests.c.id).where(manifests.c.repository_id == repository)
    return delete(manifests).where(manifests.c.id.in_(some.limit(limit)))
