"""The embedded database: SQLite in WAL mode, one writer at a time, syncs shared by who waits.

Readers take pooled connections and never wait for writers. Writing units of one process take
turns on one connection, and those of several processes on the file's lock. A unit holds its turn
for its statements and its commit only: the disk is waited for afterwards, and one ``fdatasync``
serves all who wait for it (see `Journal`).
"""

import errno
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from wharfinger.database.errors import DatabaseUnavailable, StorageFull, means_full
from wharfinger.database.journal import Journal
from wharfinger.database.unit import CHECK, DatabaseObserver, Unobserved
from wharfinger_common.refusals import Refusal

BUSY_SECONDS: Final = 10
CHECKPOINT_PAGES: Final = 4_000
"""Length of the log, in pages of 4 KiB, at which its content moves into the database file."""
_PAUSE_SECONDS: Final = 0.0002
_FULL: Final = ("database or disk is full",)


def connect(
    path: Path, *, synchronous: str = "FULL", wait: float = BUSY_SECONDS
) -> sqlite3.Connection:
    """Return a connection with the pragmas that every use of the database file needs.

    ``FULL`` syncs at each commit, ``NORMAL`` leaves that to the next checkpoint, or to a
    `Journal`. ``wait`` is for locks, in seconds. Any thread may use it, one at a time.
    """
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
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
    if isinstance(error, OSError):
        return StorageFull() if means_full(error) else DatabaseUnavailable()
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
        self._readers: Final = _Readers(self._engine(readers, BUSY_SECONDS), readers)
        self._writer: Final = _Writer(self._engine(1, 0))
        self._journal: Final = Journal(path, self._writer.checkpoint, self._synced)

    def _engine(self, connections: int, wait: float) -> Engine:
        return create_engine(
            URL.create("sqlite", database=str(self.path)),
            creator=lambda: connect(self.path, synchronous="NORMAL", wait=wait),
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Enter a snapshot; see the port."""
        try:
            with self._readers.held() as (connection, raw):
                # Without it each SELECT would be a snapshot of its own.
                raw.execute("BEGIN")
                try:
                    yield connection
                finally:
                    if raw.in_transaction:
                        raw.execute("ROLLBACK")
        except _Failure as error:
            raise self._refused(error) from error

    def looking(self) -> "_Look":
        """Enter a unit of one statement; see the port."""
        return _Look(self._readers, self._refused)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Enter a writing unit; see the port.

        Others see it from its commit on, a moment before it is durable. What they write on its
        strength becomes durable with it or after it, never without it.
        """
        try:
            with self._writer.turn() as connection:
                yield connection
                begun = time.perf_counter()
        except _Failure as error:
            raise self._refused(error) from error
        if durable:
            self._sync()
        else:
            self._observer.committed(1, time.perf_counter() - begun, durable=False)

    def _sync(self) -> None:
        try:
            self._journal.sync()
        except (OSError, *_Failure) as error:
            raise self._refused(error) from error

    def _synced(self, units: int, seconds: float) -> None:
        self._observer.committed(units, seconds, durable=True)

    def _refused(self, error: Exception) -> Refusal:
        refusal = refusal_of(error)
        self._observer.failed(refusal)
        return refusal

    def in_use(self) -> int:
        """Return the connections in use: those of readers, and of a writer at work."""
        return self._readers.in_use + self._writer.in_use

    def check(self) -> None:
        """Ask the database; see the port."""
        with self.reading() as connection:
            connection.execute(CHECK)

    @property
    def waiting(self) -> int:
        """How many units of this process wait for their turn; for metrics."""
        return self._writer.waiting

    def close(self) -> None:
        """Close all connections."""
        self._journal.close()
        self._readers.close()
        self._writer.engine.dispose()


def _driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection: what controls transactions goes past SQLAlchemy."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - the engine was made for it
    return raw


_Open = tuple[Connection, sqlite3.Connection]
"""A connection as SQLAlchemy's and as the driver's."""


class _Readers:
    """Reading connections, ready to use: SQLAlchemy's pool takes as long as a read does.

    The one used last is taken first, so few have warm caches however many there may be.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine: Final = engine
        self._most: Final = most
        self._idle: Final[list[_Open]] = []
        self._returned: Final = threading.Condition()
        self._waiting = 0
        self._open = 0

    @property
    def in_use(self) -> int:
        """Return how many are lent."""
        return max(0, self._open - len(self._idle))

    @contextmanager
    def held(self) -> Iterator[_Open]:
        """Lend a connection; one on which the database failed is not used again."""
        held, sound = self.take(), True
        try:
            yield held
        except _Failure:
            sound = False
            raise
        finally:
            self.give_back(held, sound=sound)

    def take(self) -> _Open:
        """Return a connection, to be given back; raises as the driver if all stay in use."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._awaited() or self._another()

    def give_back(self, held: _Open, *, sound: bool) -> None:
        """Take a connection back, for others unless it is not ``sound`` any more."""
        if sound:
            self._idle.append(held)
        else:
            self._gone()
            _dropped(held)
        # Whoever waits has said so before it looked for the last time.
        if self._waiting:
            with self._returned:
                self._returned.notify()

    def close(self) -> None:
        """Close those that are not in use."""
        while self._idle:
            self._gone()
            _dropped(self._idle.pop())
        self._engine.dispose()

    def _awaited(self) -> _Open | None:
        """Return a connection that was given back, None where one more may be opened."""
        end = time.monotonic() + BUSY_SECONDS
        with self._returned:
            self._waiting += 1
            try:
                while True:
                    # Who takes without waiting may always be quicker.
                    with suppress(IndexError):
                        return self._idle.pop()
                    if self._open < self._most:
                        self._open += 1
                        return None
                    left = end - time.monotonic()
                    if left <= 0:
                        raise sqlite3.OperationalError(f"all {self._most} connections are in use")
                    self._returned.wait(left)
            finally:
                self._waiting -= 1

    def _another(self) -> _Open:
        """Return a new connection, which has been counted."""
        try:
            return _opened(self._engine)
        except BaseException:
            self._gone()
            raise

    def _gone(self) -> None:
        with self._returned:
            self._open -= 1


class _Look:
    """One use of a reading connection. No generator: a look is made for each request."""

    __slots__ = ("_held", "_readers", "_refused")

    def __init__(self, readers: _Readers, refused: Callable[[Exception], Refusal]) -> None:
        self._readers: Final = readers
        self._refused: Final = refused
        self._held: _Open | None = None

    def __enter__(self) -> Connection:
        try:
            self._held = self._readers.take()
        except _Failure as error:
            raise self._refused(error) from error
        return self._held[0]

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        failed = isinstance(error, _Failure)
        if self._held is not None:
            self._readers.give_back(self._held, sound=not failed)
        if isinstance(error, _Failure):
            raise self._refused(error) from error


def _opened(engine: Engine) -> _Open:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    return connection, _driver(connection)


def _dropped(held: _Open) -> None:
    held[0].invalidate()
    held[0].close()


class _Writer:
    """The writing connection, and whose turn it is."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.waiting = 0
        self._lock: Final = threading.Lock()
        self._count: Final = threading.Lock()
        self._open: _Open | None = None

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Run one unit: committed, or undone where anything raises."""
        with self._entered() as (connection, raw):
            _begin(raw)
            try:
                yield connection
                raw.execute("COMMIT")
            except BaseException:
                self._undo(raw)
                raise

    def checkpoint(self) -> None:
        """Move all of the log into the database file and sync both; raises `OSError` if not."""
        with self._entered() as (_, raw):
            raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            try:
                (busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute("PRAGMA busy_timeout=0")
            if busy:
                raise OSError(errno.EBUSY, "the log is being read")

    @contextmanager
    def _entered(self) -> Iterator[_Open]:
        with self._count:
            self.waiting += 1
        with self._lock:
            with self._count:
                self.waiting -= 1
            yield self._connected()

    def _connected(self) -> _Open:
        if self._open is None:
            self._open = _opened(self.engine)
        return self._open

    @property
    def in_use(self) -> int:
        """1 while a unit is at work, else 0."""
        return int(self._lock.locked())

    def _undo(self, raw: sqlite3.Connection) -> None:
        """Take the unit back; where even that fails, nothing of it may be committed."""
        if raw.in_transaction:
            try:
                raw.execute("ROLLBACK")
            except sqlite3.OperationalError:
                self._abandon()

    def _abandon(self) -> None:
        """Drop the connection, and with it whatever was not committed."""
        held, self._open = self._open, None
        if held is not None:
            _dropped(held)


def _begin(raw: sqlite3.Connection) -> None:
    """Take the file's lock, which others hold for moments only: SQLite itself would wait longer."""
    end = time.monotonic() + BUSY_SECONDS
    while not _began(raw, last=time.monotonic() > end):
        time.sleep(_PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 - no secret


def _began(raw: sqlite3.Connection, *, last: bool) -> bool:
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or "locked" not in str(error):
            raise
        return False
    return True
