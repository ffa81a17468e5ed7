"""PostgreSQL: pooled connections, units as transactions, and waiting while it is away.

Imported only where the settings name it: driver and dialect cost a sixth of a cold start. The
connections are in autocommit mode and this module says BEGIN and COMMIT itself: with BEGIN go the
properties of the unit, in one round trip, and its answer tells that the connection lives.
"""

import random
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from msgspec import Struct
from psycopg import errors as pg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import NullPool, QueuePool

from wharfinger.database.errors import DatabaseInterrupted, DatabaseUnavailable, StorageFull
from wharfinger.database.unit import CHECK, DatabaseObserver, Unobserved
from wharfinger.database.urls import libpq_url

# A snapshot that never fails: only writing in it could.
_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_RELAXED: Final = f"{_WRITING}; SET LOCAL synchronous_commit = off"

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_PREPARE_AFTER: Final = 3
_MAX_PREPARED: Final = 300

_KEEPALIVE: Final = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # What was sent and is not acknowledged for so long was sent to nobody.
    "tcp_user_timeout": 60_000,
    "application_name": "wharfinger",
}
"""How a connection notices that the other machine is gone (libpq's parameters)."""

_Failure: Final = (DBAPIError, psycopg.Error)
_Gone: Final = (
    pg.AdminShutdown,
    pg.CrashShutdown,
    pg.CannotConnectNow,
    pg.IdleInTransactionSessionTimeout,
    # A standby, or a primary that has just become one.
    pg.ReadOnlySqlTransaction,
)
_Undone: Final = (pg.SerializationFailure, pg.DeadlockDetected)
_Busy: Final = (pg.LockNotAvailable, pg.QueryCanceled, pg.TooManyConnections)


class Limits(Struct, frozen=True):
    """Bounds on what the service asks of PostgreSQL; all times in seconds, 0 for none."""

    connections: int
    wait: float
    statement: float
    lock: float
    idle: float


class PostgresDatabase:
    """The `Database` port over PostgreSQL 15 or later; see `wharfinger.database.unit`.

    A unit that finds no database waits up to ``limits.wait`` seconds for one, so that a restart
    of PostgreSQL costs those who are about to begin a unit nothing but time.
    """

    def __init__(self, url: str, limits: Limits, observer: DatabaseObserver | None = None) -> None:
        self._observer: Final = observer or Unobserved()
        self._conninfo: Final = conninfo(url, session_options(limits))
        self._limits: Final = limits
        self._engine: Final = self._new_engine()

    def _new_engine(self) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            isolation_level="AUTOCOMMIT",
            # Stores ask of an INSERT, too, whether it added something.
            execution_options={"preserve_rowcount": True},
            use_native_hstore=False,
            poolclass=QueuePool,
            pool_size=self._limits.connections,
            max_overflow=0,
            pool_timeout=max(self._limits.wait, _FIRST_PAUSE),
        )

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(
            self._conninfo, autocommit=True, prepare_threshold=_PREPARE_AFTER
        )
        connection.prepared_max = _MAX_PREPARED
        return connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Enter a snapshot; see the port."""
        with self._unit(_READING) as connection:
            yield connection

    looking = reading
    """One statement needs its unit like several."""

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Enter a writing unit; see the port."""
        with self._unit(_WRITING if durable else _RELAXED, durable=durable) as connection:
            yield connection

    def check(self) -> None:
        """Ask the database; see the port."""
        try:
            connection = self._begin(_READING)
            with self._ending(connection):
                connection.execute(CHECK)
        except (PoolExhausted, *_Failure) as error:
            raise DatabaseUnavailable from error

    def in_use(self) -> int:
        """Return the connections in use; see the port."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _unit(self, begin: LiteralString, *, durable: bool | None = None) -> Iterator[Connection]:
        try:
            connection = self._begin_patiently(begin)
            with self._ending(connection, durable=durable):
                yield connection
        except (DatabaseUnavailable, StorageFull) as refusal:
            self._observer.failed(refusal)
            raise

    @contextmanager
    def _ending(self, connection: Connection, *, durable: bool | None = None) -> Iterator[None]:
        """Commit at the end of the block, or roll back; give the connection back."""
        committing = False
        try:
            yield
            committing = True
            begun = time.perf_counter()
            _commit(_driver(connection))
            if durable is not None:
                self._observer.committed(1, time.perf_counter() - begun, durable=durable)
        except _Failure as error:
            refusal = refusal_of(error, committing=committing)
            if refusal is None and _is_broken(connection):
                refusal = DatabaseInterrupted(committing=committing)
            _undo(connection)
            if refusal is None:
                raise
            raise refusal from error
        except BaseException:
            _undo(connection)
            raise
        finally:
            connection.close()

    def _begin_patiently(self, statement: LiteralString) -> Connection:
        """Return a connection in a new transaction, waiting for the database to come back."""
        deadline = time.monotonic() + self._limits.wait
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._begin(statement)
            except PoolExhausted as error:
                raise DatabaseUnavailable from error
            except _Failure as error:
                if time.monotonic() + pause > deadline:
                    raise DatabaseUnavailable from error
            # Spread out, so that not all processes knock at the same moment.
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _begin(self, statement: LiteralString) -> Connection:
        """Return a connection in a new transaction; those that died in the pool are dropped."""
        while True:
            connection = self._engine.connect()
            driver = _driver(connection)
            if not _closed_by_peer(driver):
                break
            connection.invalidate()
            connection.close()
        try:
            # Two statements in one text are never prepared.
            driver.execute(statement, prepare=False)
        except psycopg.Error:
            connection.invalidate()
            connection.close()
            raise
        return connection


def unbounded_engine(url: str) -> Engine:
    """Return an engine for preparing the database: the longest migration takes its time."""
    where = conninfo(url)
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(where),
        use_native_hstore=False,
        poolclass=NullPool,
    )


def conninfo(url: str, options: str = "") -> str:
    """Return what libpq connects by; what the URL itself says wins."""
    said: dict[str, Any] = {**_KEEPALIVE, **conninfo_to_dict(libpq_url(url))}
    said["options"] = f"{options} {said.get('options', '')}".strip()
    return make_conninfo(**said)


def session_options(limits: Limits) -> str:
    """Return the server settings of a session, as libpq's ``options``."""
    return " ".join(f"-c {name}={value}" for name, value in session_settings(limits).items())


def session_settings(limits: Limits) -> dict[str, str]:
    """Return the server settings of a session by name; times in milliseconds."""
    seconds = {
        "statement_timeout": limits.statement,
        "lock_timeout": limits.lock,
        "idle_in_transaction_session_timeout": limits.idle,
    }
    return {name: str(round(value * 1000)) for name, value in seconds.items()}


def refusal_of(
    error: Exception, *, committing: bool = False
) -> DatabaseUnavailable | StorageFull | None:
    """Return what a failed statement means for the caller; None for a defect of ours."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver, pg.DiskFull):
        return StorageFull()
    if isinstance(driver, _Undone):
        return DatabaseInterrupted()
    if isinstance(driver, _Busy):
        return DatabaseUnavailable()
    if isinstance(driver, _Gone):
        return DatabaseInterrupted(committing=committing)
    # A connection that breaks says nothing but that.
    if isinstance(driver, (psycopg.OperationalError, psycopg.InterfaceError)):
        return DatabaseInterrupted(committing=committing)
    return None


def _commit(driver: psycopg.Connection) -> None:
    # COMMIT of a failed transaction "succeeds" and rolls back: a swallowed error must not pass.
    if driver.info.transaction_status is TransactionStatus.INERROR:
        raise RuntimeError("a failed statement was swallowed within a unit of work")
    driver.execute("COMMIT", prepare=False)


def _undo(connection: Connection) -> None:
    """Take the unit back; where even that fails, drop the connection, which does it too."""
    if connection.invalidated:
        return
    try:
        driver = _driver(connection)
        if driver.info.transaction_status is not TransactionStatus.IDLE:
            driver.execute("ROLLBACK", prepare=False)
    except _Failure:
        connection.invalidate()


def _driver(connection: Connection) -> psycopg.Connection:
    """Return the driver's connection: what controls transactions goes past SQLAlchemy."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101 - the engine was made for it
    return raw


def _is_broken(connection: Connection) -> bool:
    """Whether the connection is lost, whatever the driver called what it met there.

    What libpq says by itself has no SQLSTATE, and then the driver's class is only DatabaseError.
    """
    return connection.invalidated or _driver(connection).closed


def _closed_by_peer(driver: psycopg.Connection) -> bool:
    """Whether an idle connection has something to read: only its end is told unasked."""
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
