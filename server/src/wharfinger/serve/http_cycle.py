"""One request and its answer on a connection: uvicorn's cycle with bounds, and files by sendfile.

Added to what uvicorn does: a body or an answer that stands still is given up, an answer given
before the body was read does not lose its text (the connection lingers), a vanished client ends
the application's sending, and ``http.response.zerocopysend`` (ASGI extension) sends files.
"""

import asyncio
import errno
import os
import select
import time
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from wharfinger.cores import anywhere
from wharfinger.web.sendfile import EXTENSION, ClientGone

KEEP_BODY: Final = 64 * 1024
"""Bytes of an unwanted body that are read and thrown away to keep a connection."""

WRITE_HIGH: Final = 256 * 1024
FILE_CHUNK: Final = 1024 * 1024
FILE_TURN: Final = 64 * FILE_CHUNK
"""Bytes that one call of the kernel may send."""

FILE_LONG: Final = 16 * FILE_CHUNK
"""Bytes from which a file is sent on whichever core has time."""

FILE_SECONDS: Final = 0.05
"""How long a thread sends to one client before others that wait for it have their turn."""

FILE_WAIT: Final = 2
"""Milliseconds that a thread waits for a full socket: longer ones are waited for by the loop.

A client that reads as fast as it is sent to empties its socket within this time, and handing each
megabyte from loop to thread and back would take longer than sending it.
"""

_UNKNOWN_LENGTH: Final = 1 << 62


class _Connection(Protocol):
    """What a cycle needs of its connection, through the transport."""

    stall_seconds: float

    def linger(self) -> None:
        """Say that no more comes, and read on until the peer has read."""


class Cycle(RequestResponseCycle):
    """A request and its answer; `connection` is set by the protocol that made it."""

    connection: _Connection
    lingering = False

    async def receive(self) -> Any:
        """Return the next piece of the body, or the news that the client is gone."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            await self._arrival()
            self.message_event.clear()
        # What came before the client left is told first: of an upload it counts.
        if self.response_complete or (self.disconnected and not self.body):
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def _arrival(self) -> None:
        # The application bounds the wait for a body itself, so that it can answer 408; this is
        # the longer stop for one that does not.
        if not self.more_body or self.message_event.is_set():
            await self.message_event.wait()
            return
        try:
            async with asyncio.timeout(2 * self.connection.stall_seconds):
                await self.message_event.wait()
        except TimeoutError:
            self.disconnected = True
            self.transport.abort()

    async def send(self, message: Any) -> None:
        """Send one message of the answer.

        Raises:
            ClientGone: there is nobody to send to any more.
        """
        if self.flow.write_paused and not self.disconnected:
            await self._drained()
        if self.disconnected:
            raise ClientGone(errno.EPIPE, "client disconnected")
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == EXTENSION:
            await self._send_file(message)
        else:
            await super().send(message)

    async def _start(self, message: Any) -> None:
        if self.more_body and (self.waiting_for_100_continue or self._body_left() > KEEP_BODY):
            self.keep_alive = False
            self.lingering = True
        await super().send(message)
        if self.lingering:
            self.transport = cast("asyncio.Transport", _LingerTransport(self.transport))
        if message["status"] in {204, 304}:
            self.expected_content_length = 0

    def _body_left(self) -> int:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                return int(value)
        return _UNKNOWN_LENGTH

    async def _drained(self) -> None:
        try:
            async with asyncio.timeout(self.connection.stall_seconds):
                await self.flow.drain()
        except TimeoutError:
            self.transport.abort()
            raise ClientGone(errno.ETIMEDOUT, "client does not read") from None

    async def _send_file(self, message: Any) -> None:
        descriptor = message["file"].fileno()
        offset, count = message.get("offset") or 0, message["count"]
        if self.scope["method"] != "HEAD":
            if self.chunked_encoding or count > self.expected_content_length:
                raise RuntimeError("a file is sent only with its Content-Length announced")
            try:
                await self._copy(descriptor, offset, count)
            except BaseException:
                # Never a short body that looks whole.
                self.transport.abort()
                raise
        if not message.get("more_body"):
            await super().send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _copy(self, descriptor: int, offset: int, count: int) -> None:
        if self.scope["scheme"] == "https":
            await self._copy_through(descriptor, offset, count)
            return
        # The head must have left user space before the kernel sends on its own.
        self.transport.set_write_buffer_limits(0)
        try:
            await self._drained()
        finally:
            self.transport.set_write_buffer_limits(WRITE_HIGH)
        # uvloop refuses add_writer on the transport's own descriptor.
        socket = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            await self._sendfile(socket, descriptor, offset, count)
        finally:
            os.close(socket)
        self.expected_content_length -= count

    async def _sendfile(self, socket: int, descriptor: int, offset: int, count: int) -> None:
        loop = asyncio.get_running_loop()
        send = _send_at_length if count >= FILE_LONG else _send_while_taken
        while count:
            if self.disconnected or self.transport.is_closing():
                raise ClientGone(errno.EPIPE, "client disconnected")
            # In a thread: a page that is not cached would stall the loop.
            sent = await loop.run_in_executor(None, send, socket, descriptor, offset, count)
            offset += sent
            count -= sent
            if not sent:
                await self._writable(socket)

    async def _writable(self, socket: int) -> None:
        loop = asyncio.get_running_loop()
        writable = asyncio.Event()
        loop.add_writer(socket, writable.set)
        try:
            async with asyncio.timeout(self.connection.stall_seconds):
                await writable.wait()
        except TimeoutError:
            raise ClientGone(errno.ETIMEDOUT, "client does not read") from None
        finally:
            loop.remove_writer(socket)

    async def _copy_through(self, descriptor: int, offset: int, count: int) -> None:
        loop = asyncio.get_running_loop()
        while count:
            piece = await loop.run_in_executor(
                None, os.pread, descriptor, min(count, FILE_CHUNK), offset
            )
            if not piece:
                raise OSError(errno.EIO, "the file is shorter than announced")
            offset += len(piece)
            count -= len(piece)
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})


def _send_while_taken(socket: int, descriptor: int, offset: int, count: int) -> int:
    """Send from the file until the socket takes no more, or the turn is over.

    Returns how many bytes went; 0 when the socket must become writable first.
    """
    sent = 0
    end = time.monotonic() + FILE_SECONDS
    taken = select.poll()
    taken.register(socket, select.POLLOUT)
    while sent < count and time.monotonic() < end:
        turn = min(count - sent, FILE_TURN)
        try:
            piece = os.sendfile(socket, descriptor, offset + sent, turn)
        except BlockingIOError:
            if taken.poll(FILE_WAIT):
                continue
            break
        if piece == 0:
            raise OSError(errno.EIO, "the file is shorter than announced")
        sent += piece
    return sent


_send_at_length: Final = anywhere(_send_while_taken)


class _LingerTransport:
    """What a lingering cycle sees: close() says FIN now, and lets the peer read the answer."""

    def __init__(self, transport: Any) -> None:
        self._transport: Final = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """End the answer; the protocol closes once the peer had time to read it."""
        self._transport.get_protocol().linger()
