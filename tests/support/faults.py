"""A proxy in front of an S3 server that fails on demand, as stores and networks do."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple, Self

_HEAD_BYTES: Final = 64 * 1024
_PIECE: Final = 64 * 1024
_FOREVER: Final = 3600.0
_LINGER: Final = 5.0


class Fault(Enum):
    """What happens to a request instead of, or after, its way to the server."""

    INTERNAL_ERROR = "500 InternalError"
    SLOW_DOWN = "503 SlowDown"
    FULL = "507 InsufficientStorage"
    DENIED = "403 AccessDenied"
    STALL = "no answer, until the client gives up"
    RESET = "the connection is reset before the request arrives"
    LOSE_ANSWER = "done by the server, whose answer is lost"
    TRUNCATE = "the first half of the answer's body, then the end of the connection"
    DRIP = "the answer's body arrives in small pieces"


_CLOSED_EARLY: Final = (Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.RESET, Fault.LOSE_ANSWER)
STORM: Final = (*_CLOSED_EARLY, Fault.TRUNCATE)
"""What a storm is made of: everything that ends at once and may end well when repeated."""


class Seen(NamedTuple):
    """A request that came, and what was done to it."""

    method: str
    target: str
    headers: dict[str, str]
    fault: Fault | None


@dataclass
class _Rule:
    fault: Fault
    times: float
    method: str
    containing: str


class FaultProxy:
    """Listens on a free port of the loopback, in a thread of its own; a context manager.

    Without a fault it passes everything on unchanged, the Host header too, which is signed.
    """

    def __init__(self, port: int) -> None:
        self._upstream: Final = port
        self._rules: list[_Rule] = []
        self._storm: tuple[random.Random, float] | None = None
        self._lock: Final = threading.Lock()
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.seen: list[Seen] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(
        self, fault: Fault, *, times: float = 1, method: str = "", containing: str = ""
    ) -> None:
        """Do this to the next ``times`` requests of the method whose target holds the text."""
        with self._lock:
            self._rules.append(_Rule(fault, times, method, containing))

    def storm(self, share: float, seed: int = 1) -> None:
        """From now on a share of all requests meets a fault by chance."""
        with self._lock:
            self._storm = random.Random(seed), share

    def clear(self) -> None:
        """From now on nothing fails; forget what was seen."""
        with self._lock:
            self._rules.clear()
            self._storm = None
            self.seen = []

    def count(self, method: str, containing: str = "") -> int:
        """How many requests of the method came whose target holds the text."""
        return sum(one.method == method and containing in one.target for one in list(self.seen))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fault_for(self, head: bytes) -> Fault | None:
        method, target, headers = _parsed(head)
        with self._lock:
            fault = self._chosen(method, target)
            self.seen.append(Seen(method, target, headers, fault))
        return fault

    def _chosen(self, method: str, target: str) -> Fault | None:
        for rule in self._rules:
            if rule.times > 0 and rule.method in {"", method} and rule.containing in target:
                rule.times -= 1
                return rule.fault
        if self._storm is not None and self._storm[0].random() < self._storm[1]:
            return self._storm[0].choice(STORM)
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                while await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass one request on; False when the connection ends with it."""
        head = await reader.readuntil(b"\r\n\r\n")
        fault = self._fault_for(head)
        if fault is Fault.STALL:
            await asyncio.sleep(_FOREVER)
        if fault is Fault.RESET:
            writer.transport.abort()
            return False
        if fault is not None and fault.value[:3].isdigit():
            await _refuse(writer, *fault.value.split())
            return False
        return await self._pass_on(head, reader, writer, fault)

    async def _pass_on(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        fault: Fault | None,
    ) -> bool:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        up_writer.write(head)
        sending = asyncio.create_task(_copy(reader, up_writer, _length(head)))
        try:
            answer = await up_reader.readuntil(b"\r\n\r\n")
            while answer.split(b" ", 2)[1] == b"100":
                writer.write(answer)
                answer = await up_reader.readuntil(b"\r\n\r\n")
            body = b"" if head.startswith(b"HEAD ") else await _body(answer, up_reader)
            if answer.split(b" ", 2)[1] < b"300":
                await sending
            # A refusal may come before the body, which then never does.
            whole = sending.done() and not sending.cancelled() and sending.exception() is None
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            up_writer.close()
        kept = await _answer(writer, answer, body, fault)
        if kept and not whole:
            await _linger(reader, writer)
        return kept and whole


async def _answer(
    writer: asyncio.StreamWriter, head: bytes, body: bytes, fault: Fault | None
) -> bool:
    if fault is Fault.LOSE_ANSWER:
        return False
    if fault is Fault.TRUNCATE:
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        return False
    if fault is Fault.DRIP:
        writer.write(head)
        for start in range(0, len(body), 10_007):
            writer.write(body[start : start + 10_007])
            await writer.drain()
            await asyncio.sleep(0)
        return True
    writer.write(head + body)
    await writer.drain()
    return b"connection: close" not in head.lower()


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the rest of a body that nobody wants: closed over it, the answer would be lost."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            writer.write_eof()
            while await reader.read(_PIECE):
                pass


async def _refuse(writer: asyncio.StreamWriter, status: str, code: str) -> None:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>on demand</Message></Error>"
    head = f"HTTP/1.1 {status} {code}\r\nConnection: close\r\nContent-Type: application/xml\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    while count:
        piece = await reader.read(min(count, _PIECE))
        if not piece:
            raise ConnectionResetError
        count -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    if b"transfer-encoding: chunked" not in head.lower():
        return await reader.readexactly(_length(head))
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        chunk = await reader.readexactly(int(line, 16) + 2)
        body += line + chunk
        if int(line, 16) == 0:
            return body


def _parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return method, target, {name.lower(): value.strip() for name, _, value in pairs}


def _length(head: bytes) -> int:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0
