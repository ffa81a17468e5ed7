"""The upload sessions of a namespace that is being deleted."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, select

from wharfinger.database.unit import Database
from wharfinger.registry.tables import uploads


class SqlNamespaceUploads:
    """Implements ``registry.ports.NamespaceUploads``; ``discard_bytes`` drops bytes.

    It takes an upload's id, and what the blob store needs to know of it.
    """

    def __init__(self, database: Database, discard_bytes: Callable[[str, str], None]) -> None:
        self._database: Final = database
        self._discard_bytes: Final = discard_bytes

    def discard(self, region: str, namespace: str, limit: int, /) -> int:
        """End at most ``limit`` sessions, then drop their bytes; see the port.

        Bytes whose session went but which outlived a crash are collected as leftovers.
        """
        # A range scan over the index: '0' is the character after '/'.
        chosen = (
            select(uploads.c.id)
            .where(
                uploads.c.region == region,
                uploads.c.repository > f"{namespace}/",
                uploads.c.repository < f"{namespace}0",
            )
            .limit(limit)
        )
        with self._database.writing() as connection:
            statement = delete(uploads).where(uploads.c.id.in_(chosen))
            # Exactly those that went here: one that was finished meanwhile keeps its bytes.
            ended = connection.execute(statement.returning(uploads.c.id, uploads.c.state)).all()
        for upload, state in ended:
            self._discard_bytes(upload, state)
        return len(ended)
