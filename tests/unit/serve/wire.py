"""A connection's other end: a server of one endpoint, and what is read from it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvloop

from wharfinger.serve.http_protocol import Connection, Endpoint

WAIT = 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[], Awaitable[Streams]]


@asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[Open]:
    """Serve the endpoint; yields what opens connections to it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        functools.partial(Connection, endpoint, loop), host="127.0.0.1", port=0
    )
    address = server.sockets[0].getsockname()
    opened: list[Streams] = []

    async def connect() -> Streams:
        opened.append(await asyncio.open_connection(*address))
        return opened[-1]

    async with server:
        yield connect
        for _, writer in opened:
            writer.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(WAIT):
            await scenario()

    uvloop.run(bounded())


async def read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = (
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return head, await reader.readexactly(length)
