"""Units of work: what services read and write in, on SQLite and PostgreSQL alike."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection


class Database(Protocol):
    """Where rooms' stores get their connections from. Any thread may call any method.

    Every time column in the schema is an integer or float of Unix seconds in UTC.
    """

    def reading(self) -> AbstractContextManager[Connection]:
        """Enter a consistent snapshot for reading; nothing may be written in it.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def writing(self, *, durable: bool = True) -> AbstractContextManager[Connection]:
        """Enter a writing unit that commits on leaving, or rolls back when an exception leaves.

        A unit sees everything committed before it and is never run twice at once with another
        of the same process; keep it short (statements only, never hashing, files or network).
        On return of the ``with`` a durable unit is on disk. ``durable=False`` is for state whose
        loss in a power failure costs a client a retry (upload sessions): it survives the death
        of the process, not of the machine.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
            StorageFull: its disk is full.
        """

    def close(self) -> None:
        """Close all connections."""
