"""Answers that the connection gives itself: whole, in order, bounded, and the connection's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.unit.serve import wire
from tests.unit.serve.wire import WAIT, Open, Streams, listening, run
from wharfinger.serve.http_protocol import Endpoint, new_config
from wharfinger.serve.outbox import FEW, LARGE, Outbox
from wharfinger.settings import Settings
from wharfinger.web.at_once import Short

SMALL, MANY = 1, 4 * FEW


def shortcut(scope: dict[str, Any]) -> tuple[int, bytes, bytes] | None:
    """Answer ``/v2/at-once/SIZE/WORD`` with so many bytes of the word."""
    _, _, way, *rest = scope["path"].split("/")
    if way != "at-once":
        return None
    size, word = rest
    body = (word.encode() * (int(size) // len(word) + 1))[: int(size)]
    return 200, b"content-length: %d\r\n" % len(body), body


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the same where the shortcut was not taken, and all else with its path."""
    del receive
    known = shortcut(dict(scope))
    body = known[2] if known else scope["path"].encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(idle_seconds: float = WAIT, **settings: float) -> AsyncIterator[Open]:
    loop = asyncio.get_running_loop()
    config = new_config(app)
    config.timeout_keep_alive = idle_seconds  # type: ignore[assignment]  # seconds, whole or not
    state, held = ServerState(), Settings(**settings)  # type: ignore[arg-type]  # by name
    endpoint = Endpoint(config, state, held, Short(shortcut), Outbox(loop))
    async with listening(endpoint) as connect:
        yield connect


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head, body = await wire.read(reader)
    return int(head.split(b" ")[1]), body


@pytest.mark.parametrize("connections", [SMALL, MANY])
def test_each_connection_gets_its_own_answers_in_order(connections: int) -> None:
    async def ask(streams: Streams, number: int) -> None:
        reader, writer = streams
        sizes = (3, 10, LARGE, 5, 2 * LARGE, 1, 4)
        paths = [f"/v2/at-once/{size}/w{number}-{turn}" for turn, size in enumerate(sizes)]
        paths.insert(2, f"/v2/ordinary/{number}")
        paths.append(f"/v2/ordinary/{number}")
        writer.write(b"".join(get(path) for path in paths))
        for path in paths:
            status, body = await read(reader)
            known = shortcut({"path": path})
            assert status == 200
            assert body == (known[2] if known else path.encode())

    async def scenario() -> None:
        async with serving() as connect:
            opened = [await connect() for _ in range(connections)]
            for _ in range(3):
                await asyncio.gather(*(ask(one, n) for n, one in enumerate(opened)))

    run(scenario)


@pytest.mark.parametrize("connections", [SMALL, MANY])
@pytest.mark.parametrize("asked", [1, 2])
def test_what_is_no_request_is_refused_behind_the_answers_before_it(
    connections: int, asked: int
) -> None:
    async def scenario() -> None:
        async with serving() as connect:
            reader, writer = [await connect() for _ in range(connections)][-1]
            writer.write(get("/v2/at-once/3/abc") * asked + b"\x00\x01 no request\r\n\r\n")
            assert [await read(reader) for _ in range(asked)] == [(200, b"abc")] * asked
            status, _ = await read(reader)
            assert status == 400
            assert await reader.read() == b""

    run(scenario)


def test_who_reads_nothing_is_not_answered_without_end() -> None:
    async def scenario() -> None:
        async with serving() as connect:
            streams = [await connect() for _ in range(MANY)]
            reader, writer = streams[0]
            asked = 5_000
            writer.write(get(f"/v2/at-once/{LARGE - 1}/x") * asked)
            # Others are served meanwhile, and what was asked for comes when it is read.
            other_reader, other = streams[1]
            other.write(get("/v2/at-once/2/ok"))
            assert await read(other_reader) == (200, b"ok")
            for _ in range(asked):
                status, body = await read(reader)
                assert (status, len(body)) == (200, LARGE - 1)

    run(scenario)


@pytest.mark.parametrize("path", ["/v2/at-once/2/ok", "/v2/ordinary/ok"])
def test_an_idle_connection_is_closed_after_its_last_answer(path: str) -> None:
    async def scenario() -> None:
        async with serving(idle_seconds=1) as connect:
            reader, writer = await connect()
            loop = asyncio.get_running_loop()
            end, answers = loop.time() + 2, 0
            while loop.time() < end:
                writer.write(get(path))
                await read(reader)
                answers += 1
            last = loop.time()
            assert await reader.read() == b""
            assert answers > 1
            assert loop.time() - last > 0.5

    run(scenario)


def test_half_a_head_behind_an_answer_is_given_up() -> None:
    async def scenario() -> None:
        async with serving(header_seconds=1) as connect:
            reader, writer = await connect()
            for _ in range(3):
                writer.write(get("/v2/at-once/2/ok"))
                await read(reader)
            writer.write(b"GET /v2/at-once/2/ok HT")
            status, _ = await read(reader)
            assert status == 408
            assert await reader.read() == b""

    run(scenario)
