"""Blobs as the database knows them, for checking them against the store."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, select

from wharfinger.database.unit import Database
from wharfinger.registry.model.checking import BlobRow
from wharfinger.registry.store.blobs import mark_blob, seal_blob
from wharfinger.registry.tables import blobs, repositories, repository_blobs


class SqlBlobChecks:
    """Implements ``registry.ports.checking.BlobChecks`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def blobs(self, after: str, limit: int) -> Sequence[BlobRow]:
        """Return blobs by location; see the port."""
        query = _ROWS.where(blobs.c.location > after).order_by(blobs.c.location).limit(limit)
        with self._database.reading() as connection:
            return [_row(row) for row in connection.execute(query)]

    def blob(self, digest: str) -> BlobRow | None:
        """Return one blob; see the port."""
        with self._database.reading() as connection:
            row = connection.execute(_ROWS.where(blobs.c.digest == digest)).first()
        return None if row is None else _row(row)

    def shown_in(self, digest: str, limit: int) -> Sequence[str]:
        """Return where the blob is shown; see the port."""
        query = (
            select(repositories.c.name)
            .join(repository_blobs, repository_blobs.c.repository_id == repositories.c.id)
            .where(repository_blobs.c.digest == digest)
            .order_by(repositories.c.name)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def fence(self, row: BlobRow, now: int) -> bool:
        """Let the blob count as missing; see the port."""
        return self._mark(row, now)

    def release(self, row: BlobRow) -> bool:
        """Serve the blob again; see the port."""
        return self._mark(row, None)

    def seal(self, row: BlobRow, seal: str) -> None:
        """Take note by what right bytes are known; see the port."""
        with self._database.writing() as connection:
            seal_blob(connection, row.digest, row.location, seal)

    def _mark(self, row: BlobRow, damaged_at: int | None) -> bool:
        with self._database.writing() as connection:
            return mark_blob(connection, row.digest, row.location, damaged_at)


_ROWS: Final[Select[Any]] = select(
    blobs.c.digest, blobs.c.size, blobs.c.location, blobs.c.damaged_at, blobs.c.seal
)


def _row(row: Row[Any]) -> BlobRow:
    return BlobRow(row.digest, row.size, row.location, row.damaged_at is not None, row.seal)
