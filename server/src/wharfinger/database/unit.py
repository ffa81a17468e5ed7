"""Units of work: what services read and write in, on SQLite and PostgreSQL alike."""

from contextlib import AbstractContextManager
from typing import Final, Protocol

from sqlalchemy import Connection, text

from wharfinger_common.refusals import Refusal

CHECK: Final = text("SELECT version_num FROM alembic_version")
"""Answers only where there is a schema."""


class DatabaseObserver(Protocol):
    """Is told what the database does, by any thread; must not raise, and be quick."""

    def committed(self, units: int, seconds: float, *, durable: bool) -> None:
        """Units of work were committed together."""

    def failed(self, refusal: Refusal) -> None:
        """The database failed a unit of work."""


class Unobserved:
    """Tells nobody."""

    def committed(self, units: int, seconds: float, *, durable: bool) -> None:
        """Do nothing."""

    def failed(self, refusal: Refusal) -> None:
        """Do nothing."""


class Database(Protocol):
    """Where rooms' stores get their connections from. Any thread may call any method.

    Every time column in the schema is an integer or float of Unix seconds in UTC.

    SQLite runs one writing unit at a time. PostgreSQL runs them side by side, each statement
    seeing what was committed before it (READ COMMITTED): a unit that decides by what it read
    must hold what it read by a lock, and takes its locks in the order that docs/adr/0014 gives.
    """

    def reading(self) -> AbstractContextManager[Connection]:
        """Enter a consistent snapshot for reading; nothing may be written in it.

        Raises:
            DatabaseUnavailable: the database does not answer.
            DatabaseInterrupted: it went away, or ended the unit; another attempt is safe.
        """

    def looking(self) -> AbstractContextManager[Connection]:
        """Enter a unit for one statement that reads, at less cost than `reading`; raises as it."""

    def writing(self, *, durable: bool = True) -> AbstractContextManager[Connection]:
        """Enter a writing unit that commits on leaving, or rolls back when an exception leaves.

        Each of its statements sees everything committed before. Keep it short (statements only,
        never hashing, files or network). On return of the ``with`` a durable unit is on disk.
        ``durable=False`` is for state whose loss in a power failure costs a client a retry
        (upload sessions): it survives the death of the process, not of the machine.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
            DatabaseInterrupted: it went away, or ended the unit; see there what that means.
            StorageFull: its disk is full.
        """

    def check(self) -> None:
        """Return where the database answers and holds a schema; waits for nothing.

        Raises:
            DatabaseUnavailable: it does not.
        """

    def in_use(self) -> int:
        """Return how many connections are in use now."""

    def close(self) -> None:
        """Close all connections."""
