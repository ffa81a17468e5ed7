"""Statements of the hot paths: built and compiled once, then run by the driver itself.

SQLAlchemy spends some 100 us on building, keying and executing a small statement that SQLite
answers in 5. What runs on every push or pull is therefore a `Prepared` of its room's store; all
else is executed as usual. Both may be mixed in one unit: they use the same connection.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ClauseElement


class Cursor(Protocol):
    """What is used of a driver's cursor (PEP 249); rows are tuples in the order of the columns."""

    rowcount: int

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row."""

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        """Return all rows that are left."""


class _Compiled(NamedTuple):
    text: str
    order: tuple[str, ...] | None
    """Names by position, None where the driver takes them by name."""
    values: dict[str, Any]
    """What the statement itself brings."""


class Prepared:
    """A Core statement with ``bindparam``s, as the driver takes it; any thread may run it.

    ``build`` returns the statement for the dialect of a connection. Values are handed to the
    driver as they are, so columns must be of types that it knows: texts, numbers, bytes. Lists
    (``expanding`` parameters) are not possible.
    """

    def __init__(self, build: Callable[[Connection], ClauseElement]) -> None:
        self._build: Final = build
        self._known: Final[dict[str, _Compiled]] = {}

    def run(self, connection: Connection, **values: Any) -> Cursor:
        """Run the statement within the connection's unit.

        Raises:
            sqlalchemy.exc.DBAPIError: as SQLAlchemy itself would wrap what the driver raises.
        """
        compiled = self._known.get(connection.dialect.name) or self._compile(connection)
        asked: Any = {**compiled.values, **values}
        if compiled.order is not None:
            asked = [asked[name] for name in compiled.order]
        cursor: Any = connection.connection.cursor()
        try:
            cursor.execute(compiled.text, asked)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _wrapped(connection, cursor, compiled.text, error) from error
        return cursor  # type: ignore[no-any-return] # drivers' cursors are untyped

    def first(self, connection: Connection, **values: Any) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none."""
        return self.run(connection, **values).fetchone()

    def changed(self, connection: Connection, **values: Any) -> int:
        """Return how many rows the statement changed."""
        return self.run(connection, **values).rowcount

    def _compile(self, connection: Connection) -> _Compiled:
        compiled: Any = self._build(connection).compile(dialect=connection.dialect)
        order = tuple(compiled.positiontup) if compiled.positional else None
        known = _Compiled(str(compiled), order, dict(compiled.params))
        self._known[connection.dialect.name] = known
        return known


def _wrapped(connection: Connection, cursor: Any, text: str, error: Exception) -> BaseException:
    driver_error: Any = error
    raw = connection.connection.dbapi_connection
    gone = connection.dialect.is_disconnect(driver_error, raw, cursor)
    if gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        connection.dialect.loaded_dbapi.Error,
        connection_invalidated=gone,
        dialect=connection.dialect,
    )
