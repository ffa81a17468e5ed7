"""The trash, for checking that what is in it can be restored."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, exists, or_, select, tuple_

from wharfinger.database.unit import Database
from wharfinger.images.model.trash import GonePart, TrashedManifest
from wharfinger.images.tables import trash, trash_references
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.tables import blobs, manifests, repositories

_LISTED: Final = trash.alias("listed")
_THERE: Final = or_(
    and_(
        trash_references.c.kind == Kind.BLOB.value,
        exists().where(
            blobs.c.digest == trash_references.c.child,
            blobs.c.damaged_at.is_(None),
        ),
    ),
    and_(
        trash_references.c.kind != Kind.BLOB.value,
        or_(
            exists().where(
                repositories.c.region == trash.c.region,
                repositories.c.name == trash.c.repository,
                manifests.c.repository_id == repositories.c.id,
                manifests.c.digest == trash_references.c.child,
                manifests.c.damaged_at.is_(None),
            ),
            exists().where(
                _LISTED.c.region == trash.c.region,
                _LISTED.c.repository == trash.c.repository,
                _LISTED.c.digest == trash_references.c.child,
            ),
        ),
    ),
)


class SqlTrashChecks:
    """Implements ``images.ports.TrashChecks`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def manifests(self, after: int, limit: int) -> Sequence[TrashedManifest]:
        """Return the next manifests in the trash, by key."""
        query = (
            select(trash.c.id, trash.c.repository, trash.c.digest, trash.c.content)
            .where(trash.c.id > after)
            .order_by(trash.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [TrashedManifest(*row) for row in connection.execute(query)]

    def gone(self, after: tuple[int, str], limit: int) -> Sequence[GonePart]:
        """Return the next parts that are nowhere, by entry and digest."""
        key = tuple_(trash_references.c.trash_id, trash_references.c.child)
        query = (
            select(
                trash_references.c.trash_id,
                trash_references.c.child,
                trash.c.repository,
                trash.c.digest,
            )
            .join(trash, trash.c.id == trash_references.c.trash_id)
            .where(key > tuple_(*after), ~_THERE)
            .order_by(trash_references.c.trash_id, trash_references.c.child)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [GonePart(*row) for row in connection.execute(query)]
