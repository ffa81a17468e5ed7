"""The look-ups of the fast path over PostgreSQL: prepared, on the event loop, never in its way.

asyncpg, because it costs the loop the least (docs/adr/0015). Each worker keeps a few connections
of its own; a look-up takes the one that was used last, or waits for one. Where the database does
not answer, the look-up fails at once, and the ordinary route waits for it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg

from wharfinger.registry.fastreads import (
    BLOB,
    BLOB_HEAD,
    MANIFESTS,
    FoundBlob,
    FoundManifest,
    Key,
    ReadFailed,
)
from wharfinger.web.log import EventLog

LOOK_UP_SECONDS: Final = 5.0
_PARAMETER: Final = re.compile(r":(\w+)")
_NUMBERS: Final = frozenset({"young"})


_log: Final = EventLog("wharfinger.database")
_FORESEEN: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # Where the server ends a session just as a statement is sent.
    asyncpg.InternalClientError,
)


class _Statement:
    """A statement with its parameters by position, as PostgreSQL knows them."""

    def __init__(self, text: str) -> None:
        self._names: Final = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        self.text: Final = _PARAMETER.sub(self._placeholder, text)

    def _placeholder(self, match: re.Match[str]) -> str:
        name = match.group(1)
        kind = "bigint" if name in _NUMBERS else "varchar"
        return f"${self._names.index(name) + 1}::{kind}"

    def arguments(self, key: Key) -> Sequence[str | int]:
        return [key[name] for name in self._names]


_MANIFESTS: Final = {which: _Statement(text) for which, text in MANIFESTS.items()}
_BLOB: Final = _Statement(BLOB)
_BLOB_HEAD: Final = _Statement(BLOB_HEAD)


class PostgresFastReads:
    """`AwaitedReads` over at most ``connections`` connections, used by one event loop only.

    They end with the process. `LOOK_UP_SECONDS` bounds a look-up, the wait for one included.
    """

    def __init__(self, url: str, connections: int) -> None:
        self._url: Final = url
        self._free: Final[deque[asyncpg.Connection]] = deque()
        self._slots: Final = asyncio.Semaphore(connections)

    async def manifest(self, key: Key, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        """Return the manifest; see the port."""
        row = await self._first(_MANIFESTS[by_tag, with_content], key)
        return FoundManifest(*row) if row else None

    async def blob(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = await self._first(_BLOB, key)
        return FoundBlob(*row) if row else None

    async def blob_head(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = await self._first(_BLOB_HEAD, key)
        return FoundBlob(*row) if row else None

    async def _first(self, statement: _Statement, key: Key) -> Any:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS), self._slots:
                return await self._ask(statement, key)
        except _FORESEEN as error:
            raise ReadFailed from error
        except Exception as error:
            # A connection that dies between two turns of the loop shows as whatever the loop or
            # the driver met there: uvloop raises RuntimeError for a handle that it has closed
            # already. The ordinary route asks again, and tells what stays wrong.
            _log.error("look-up failed", error=repr(error))
            raise ReadFailed from error

    async def _ask(self, statement: _Statement, key: Key) -> Any:
        """Run the statement; a connection that broke while it lay idle is replaced once."""
        connection = self._free.pop() if self._free else None
        if connection is None or connection.is_closed():
            connection = await self._connect()
        try:
            # The driver prepares a text once and finds it again by itself.
            row = await connection.fetchrow(statement.text, *statement.arguments(key))
        except BaseException:
            # Whatever state it is in, nobody should meet it again. It may be too dead even to be
            # ended; what it failed with before counts.
            with suppress(Exception):
                connection.terminate()
            raise
        self._free.append(connection)
        return row

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=LOOK_UP_SECONDS,
            statement_cache_size=16,
            server_settings={"application_name": "wharfinger pulls"},
        )
