"""Requests that need no task: done by a thread when their body is there, or made ordinary ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.unit.serve.wire import WAIT, Streams, listening, read, run
from wharfinger.serve import held_body
from wharfinger.serve.http_protocol import Endpoint, new_config
from wharfinger.serve.outbox import Outbox
from wharfinger.settings import Settings
from wharfinger.web.at_once import FAILED, AtOnce, Begin, Short
from wharfinger.web.threads import Threads

MOST = 200_000


class Job:
    """Answers with what it got, or fails; notes what became of it."""

    def __init__(self, house: House, path: str) -> None:
        self.house, self.path = house, path

    def begun(self) -> None:
        self.house.noted.append("begun")
        self.house.begun.set()

    def answered(self, body: int, answer: AtOnce) -> None:
        self.house.noted.append(f"answered {body}")

    def failed(self) -> None:
        self.house.noted.append("failed")

    def work(self, body: bytes) -> AtOnce:
        assert threading.current_thread() is not threading.main_thread()
        if self.path.startswith("/v2/waits"):
            assert self.house.go_on.wait(WAIT)
        if self.path.startswith("/v2/fails"):
            raise LookupError(body.decode())
        text = b"job %s" % body
        return 200, b"content-length: %d\r\n" % len(text), text


class House:
    """A server whose PUTs are jobs, and whose application tells what it was given."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = threading.Event()
        self.asked = asyncio.Event()
        self.begun = asyncio.Event()
        self.state = ServerState()

    def intake(self, scope: dict[str, Any]) -> Job | None:
        return Job(self, scope["path"]) if scope["method"] == "PUT" else None

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        text = f"app {scope.get(FAILED, '')}"
        while True:
            message = await receive()
            text += message.get("body", b"").decode()
            if message["type"] == "http.disconnect":
                self.seen.put_nowait(f"{text} gone")
                return
            if not message["more_body"]:
                break
        headers = [(b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    @asynccontextmanager
    async def serving(self, begin: Begin | None = None) -> AsyncIterator[Streams]:
        loop, threads = asyncio.get_running_loop(), Threads(2)
        short = Short(intake=self.intake, begin=begin or threads.begin, body_bytes=MOST)
        endpoint = Endpoint(new_config(self.app), self.state, Settings(), short, Outbox(loop))
        async with listening(endpoint) as connect:
            yield await connect()
        threads.close()


def head(method: str, path: str, length: int, more: str = "") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n{more}\r\n".encode()
    )


def test_a_body_in_pieces_is_done_by_a_thread_and_the_connection_goes_on() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            for body in (b"", b"one", b"x" * MOST):
                writer.write(head("PUT", "/v2/a", len(body)))
                for at in range(0, len(body), 50_000):
                    await asyncio.sleep(0)
                    writer.write(body[at : at + 50_000])
                assert (await read(reader))[1] == b"job " + body
            writer.write(head("POST", "/v2/a", 2) + b"it")
            assert (await read(reader))[1] == b"app it"

    run(scenario)
    assert house.noted == [note for size in (0, 3, MOST) for note in ("begun", f"answered {size}")]


def test_what_is_sent_ahead_is_answered_in_order() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            ahead = [("PUT", b"1"), ("PUT", b"2"), ("POST", b"3"), ("PUT", b"4"), ("POST", b"5")]
            writer.write(b"".join(head(m, "/v2/a", len(body)) + body for m, body in ahead))
            for _, body in ahead:
                assert (await read(reader))[1][-1:] == body
            writer.write(head("PUT", "/v2/a", 1) + b"6")
            assert (await read(reader))[1] == b"job 6"

    run(scenario)


def test_what_a_job_fails_with_the_application_answers() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            for _ in range(2):
                writer.write(head("PUT", "/v2/fails", 3) + b"why")
                assert (await read(reader))[1] == b"app whywhy"

    run(scenario)
    assert house.noted == ["begun", "failed"] * 2


def test_without_a_thread_the_application_answers() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving(begin=lambda _work, _told: False) as (reader, writer):
            writer.write(head("PUT", "/v2/a", 3) + b"all")
            assert (await read(reader))[1] == b"app all"

    run(scenario)


def test_a_body_that_turns_out_long_is_the_applications() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            writer.write(b"PUT /v2/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(3):
                writer.write(b"%x\r\n%s\r\n" % (MOST // 2, b"y" * (MOST // 2)))
            writer.write(b"0\r\n\r\n")
            assert (await read(reader))[1] == b"app " + b"y" * (MOST // 2 * 3)
            assert house.noted == []

    run(scenario)


def test_a_body_that_comes_slowly_is_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    monkeypatch.setattr(held_body, "HOLD_SECONDS", 0.05)

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            writer.write(head("PUT", "/v2/a", 6) + b"sl")
            await house.asked.wait()
            writer.write(b"owly")
            assert (await read(reader))[1] == b"app slowly"
            assert house.noted == []

    run(scenario)


def test_who_leaves_before_the_end_leaves_what_came_to_the_application() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (_, writer):
            writer.write(head("PUT", "/v2/a", 6) + b"hal")
            writer.close()
            assert await house.seen.get() == "app hal gone"

    run(scenario)
    assert house.noted == []


def test_a_client_that_asks_before_it_sends_is_the_applications() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            writer.write(head("PUT", "/v2/a", 3, "Expect: 100-continue\r\n"))
            assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"yes")
            assert (await read(reader))[1] == b"app yes"

    run(scenario)


def test_a_server_that_stops_answers_first_and_says_that_it_closes() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            writer.write(head("PUT", "/v2/waits", 1) + b"x")
            await house.begun.wait()
            for connection in house.state.connections:
                connection.shutdown()
            house.go_on.set()
            told, body = await read(reader)
            assert body == b"job x"
            assert b"connection: close\r\n" in told
            assert await reader.read() == b""

    run(scenario)


def test_what_is_no_request_behind_half_a_body_ends_it() -> None:
    house = House()

    async def scenario() -> None:
        async with house.serving() as (reader, writer):
            writer.write(b"PUT /v2/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"3\r\nabc\r\nno length\r\n")
            told, _ = await read(reader)
            assert b" 400 " in told
            assert await house.seen.get() == "app abc gone"

    run(scenario)
    assert house.noted == []
