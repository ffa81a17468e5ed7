"""The embedded database: SQLite in WAL mode, one writer a process, commits shared by who waits.

Readers take pooled connections and never wait for writers. Writing units of one process take
turns on one connection; whoever finds others waiting leaves the transaction open for them, and
the last one commits for all: under load one ``fsync`` serves many units.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from wharfinger.database.errors import DatabaseUnavailable, StorageFull
from wharfinger.database.unit import CHECK, DatabaseObserver, Unobserved
from wharfinger_common.refusals import Refusal

BUSY_SECONDS: Final = 10
MAX_BATCH: Final = 64
_FULL: Final = ("database or disk is full",)


def connect(path: Path, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """Return a connection with the pragmas that every use of the database file needs.

    ``FULL`` syncs at each commit, ``NORMAL`` leaves that to the next checkpoint or FULL commit.
    Any thread may use it, one at a time.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        "cache_size=-8000",
        "mmap_size=268435456",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


_Failure: Final = (OperationalError, sqlite3.OperationalError)
"""What the database's own trouble looks like, told by SQLAlchemy or by the driver."""


def refusal_of(error: Exception) -> DatabaseUnavailable | StorageFull:
    """Return what a failed statement means for the caller."""
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    if any(sign in text for sign in _FULL):
        return StorageFull()
    return DatabaseUnavailable()


class SqliteDatabase:
    """The `Database` port over one SQLite file; see `wharfinger.database.unit`."""

    def __init__(
        self, path: Path, readers: int = 16, observer: DatabaseObserver | None = None
    ) -> None:
        self.path: Final = path
        self._observer: Final = observer or Unobserved()
        self._reading: Final = self._engine("FULL", readers)
        self._durable: Final = _Writer(self._engine("FULL", 1), self._observer, durable=True)
        self._relaxed: Final = _Writer(self._engine("NORMAL", 1), self._observer, durable=False)
        self._turns: Final = _Turns()

    def _engine(self, synchronous: str, connections: int) -> Engine:
        return create_engine(
            f"sqlite:///{self.path}",
            creator=lambda: connect(self.path, synchronous=synchronous),
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Enter a snapshot; see the port."""
        try:
            with self._reading.connect() as connection:
                # Without it each SELECT would be a snapshot of its own. The pool rolls back.
                _driver(connection).execute("BEGIN")
                yield connection
        except _Failure as error:
            raise self._refused(error) from error

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Enter a writing unit; see the port."""
        writer = self._durable if durable else self._relaxed
        try:
            with self._turns.turn(writer) as (connection, batch):
                yield connection
            batch.wait()
        except _Failure as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> Refusal:
        refusal = refusal_of(error)
        self._observer.failed(refusal)
        return refusal

    def in_use(self) -> int:
        """Return the connections in use: those of readers, and of a writer at work."""
        pools = (engine.pool for engine in self._engines)
        return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))

    def check(self) -> None:
        """Ask the database; see the port."""
        with self.reading() as connection:
            connection.execute(CHECK)

    @property
    def waiting(self) -> int:
        """How many units of this process wait for their turn; for metrics."""
        return self._turns.waiting

    def close(self) -> None:
        """Close all connections."""
        for engine in self._engines:
            engine.dispose()

    @property
    def _engines(self) -> tuple[Engine, ...]:
        return self._reading, self._durable.engine, self._relaxed.engine


def _driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection: what controls transactions goes past SQLAlchemy."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - the engine was made for it
    return raw


class _Batch:
    """Units that one commit will cover, and how that commit ended."""

    def __init__(self) -> None:
        self.units = 0
        self._ended: Final = threading.Event()
        self._error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        self._error = error
        self._ended.set()

    def wait(self) -> None:
        self._ended.wait()
        if self._error is not None:
            raise self._error


class _Writer:
    """One writing connection and the batch that is open on it; only the turn's holder calls."""

    def __init__(self, engine: Engine, observer: DatabaseObserver, *, durable: bool) -> None:
        self.engine: Final = engine
        self._observer: Final = observer
        self._is_durable: Final = durable
        self.connection: Connection | None = None
        self.batch: _Batch | None = None
        self._raw: sqlite3.Connection | None = None

    def begin(self) -> tuple[Connection, _Batch]:
        """Open a batch unless one is open, and return it."""
        if self.connection is None:
            self.connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._raw = _driver(self.connection)
        if self.batch is None:
            self._execute("BEGIN IMMEDIATE")
            self.batch = _Batch()
        return self.connection, self.batch

    def begin_unit(self) -> None:
        """Mark where a unit begins; the first one of a batch begins with the transaction."""
        if self.batch is not None and self.batch.units:
            self._execute("SAVEPOINT unit")

    def end_unit(self) -> None:
        """Count a unit that went well to what the batch commits."""
        if self.batch is not None:
            if self.batch.units:
                self._execute("RELEASE unit")
            self.batch.units += 1

    def rollback_unit(self) -> None:
        """Take a unit back, and with the first one the whole transaction."""
        if self.batch is not None and self.batch.units:
            self._execute("ROLLBACK TO unit")
            self._execute("RELEASE unit")
        else:
            self.batch = None
            self._execute("ROLLBACK")

    def commit(self) -> None:
        """End the open batch, if any; its units learn how it went from the batch."""
        batch, self.batch = self.batch, None
        if batch is None:
            return
        begun = time.perf_counter()
        try:
            self._execute("COMMIT" if batch.units else "ROLLBACK")
        except sqlite3.OperationalError as error:
            self.abandon()
            batch.end(error)
        else:
            seconds = time.perf_counter() - begun
            batch.end(None)
            if batch.units:
                self._observer.committed(batch.units, seconds, durable=self._is_durable)

    def abandon(self) -> None:
        """Drop the connection, and with it whatever was not committed."""
        connection, self.connection, self._raw = self.connection, None, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def fail(self, error: Exception) -> None:
        """End the open batch without committing: every unit in it failed."""
        batch, self.batch = self.batch, None
        self.abandon()
        if batch is not None:
            batch.end(error)

    def _execute(self, statement: str) -> None:
        if self._raw is not None:
            self._raw.execute(statement)


class _Turns:
    """Who may write now; leaves a batch open only while somebody waits to go on with it."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._count: Final = threading.Lock()
        self.waiting = 0
        self._open: _Writer | None = None

    @contextmanager
    def turn(self, writer: _Writer) -> Iterator[tuple[Connection, _Batch]]:
        """Run one unit in its turn; the batch tells when it is committed."""
        self._enter(writer)
        try:
            connection, batch = self._start(writer)
            try:
                yield connection, batch
            except BaseException:
                _undo(writer)
                raise
            writer.end_unit()
        except _Failure as error:
            if writer.batch is not None and writer.batch.units == 0:
                writer.fail(error)
            raise
        finally:
            self._leave(writer)

    def _enter(self, writer: _Writer) -> None:
        with self._count:
            self.waiting += 1
        self._lock.acquire()
        with self._count:
            self.waiting -= 1
        if self._open is not None and self._open is not writer:
            self._open.commit()
        self._open = writer

    @staticmethod
    def _start(writer: _Writer) -> tuple[Connection, _Batch]:
        started = writer.begin()
        writer.begin_unit()
        return started

    def _leave(self, writer: _Writer) -> None:
        try:
            with self._count:
                others = self.waiting > 0
            batch = writer.batch
            if batch is None or not others or batch.units >= MAX_BATCH:
                writer.commit()
                self._open = None
        finally:
            self._lock.release()


def _undo(writer: _Writer) -> None:
    """Take one unit back; where even that fails, nothing of its batch may be committed."""
    try:
        writer.rollback_unit()
    except sqlite3.OperationalError as error:
        writer.fail(error)
