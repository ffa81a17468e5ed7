"""The HTTP/1.1 connection: uvicorn's httptools protocol, with the limits that it leaves open.

What it answers without a task is in `http_short`. The limits: header count, size and time, the
length of the request line, exactly one Host; what it refuses itself is answered in the OCI error
shape. docs/adr/0002 tells what was measured and why.
"""

import asyncio
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.config import Config

from wharfinger.serve.http_cycle import WRITE_HIGH, Cycle
from wharfinger.serve.http_framing import after_upgrade, has_body, is_plain, refusal
from wharfinger.serve.http_short import Endpoint, ShortConnection
from wharfinger.web.sendfile import EXTENSION

MAX_HEADERS: Final = 100
URL_BYTES: Final = 16 * 1024
LINGER_SECONDS: Final = 30.0
KEEP_ALIVE_SECONDS: Final = 75
_BODIES: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
_ONE_READ: Final = 256 * 1024


class _Rejected(Exception):
    """Ends the parsing of a request that breaks a limit."""


class Connection(ShortConnection):
    """One client's connection."""

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(endpoint, loop)
        self.stall_seconds: Final = endpoint.settings.body_stall_seconds
        self._header_bytes: Final = endpoint.settings.header_bytes
        self._header_seconds: Final = endpoint.settings.header_seconds
        self._head_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._in_head = True
        self._received = 0
        self._header_size = 0
        self._bodiless = True
        self._hosts = 0
        self._reject = 400
        self._embodied = False
        self._malformed: Final = endpoint.malformed
        self._changed: Final = endpoint.changed

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Start the time that the first head may take."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(WRITE_HIGH)
        self._changed()
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        for timer in (self._head_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._linger_timer = None
        # uvicorn forgets its own timer where the connection broke.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self._changed()

    def data_received(self, data: bytes) -> None:
        """Parse what came; while lingering, throw it away."""
        if self._linger_timer is not None or self.transport.is_closing():
            return
        self._answered = self._embodied = False
        self._parse(data)
        over = self.parser is None or self.transport.is_closing() or self._linger_timer is not None
        if over or self._answered:
            return
        if self._in_head:
            self._count(data)
        elif not self._embodied and self._is_overfull(data):
            self._refuse(431)
        elif (
            self.cycle is not None
            and self.cycle.response_complete
            and self.timeout_keep_alive_task is None
        ):
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _parse(self, data: bytes) -> None:
        """Hand ``data`` to the parser, and what follows a wish for another protocol to the next."""
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data
        while rest:
            try:
                self.parser.feed_data(rest)
            except HttpParserUpgrade as wish:
                rest = memoryview(rest)[wish.args[0] :]
                self.parser, lead = after_upgrade(self, self.headers)
                self.parser.feed_data(lead)
            except HttpParserError:
                self.send_400_response("")
                return
            else:
                return

    def _is_overfull(self, data: bytes) -> bool:
        """Count what is neither body nor yet a header, and tell whether that is too much."""
        self._received += len(data)
        return self._received > self._header_bytes + _ONE_READ

    def _refuse(self, status: int) -> None:
        self._reject = status
        self.send_400_response("")

    def _count(self, data: bytes) -> None:
        """Bound one endless header, which the parser never reports, and the time of a head."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._received == 0 and not answered:
            return
        if self._is_overfull(data):
            self._refuse(431)
        elif self._head_timer is None and answered and self.timeout_keep_alive_task is None:
            self._expect_head()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self._header_seconds, self._head_late)

    def _awaits_head(self) -> bool:
        return self._head_timer is not None

    def _head_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._received:
            self._refuse(408)
        else:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._answered = True, False
        self._header_size = self._hosts = 0
        self._bodiless = True

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        super().on_url(url)
        if len(self.url) > URL_BYTES:
            self._reject = 414
            raise _Rejected

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; a trailer is only counted.

        What comes after the body must not pass for a header (RFC 9110 section 6.5.1): whoever
        stands before us, and checks or sets headers, has not seen it.
        """
        self._header_size += len(name) + len(value) + 4
        full = self._in_head and len(self.headers) == MAX_HEADERS
        if full or self._header_size > self._header_bytes:
            self._reject = 431
            raise _Rejected
        if not self._in_head:
            return
        super().on_header(name, value)
        name = self.headers[-1][0]
        if name == b"host":
            self._hosts += 1
        elif name in _BODIES and not (name == b"content-length" and value == b"0"):
            self._bodiless = False

    def on_headers_complete(self) -> None:
        """Start the application."""
        self._in_head, self._received = False, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        version = self.parser.get_http_version()
        one_host = self._hosts == 1 or (version == "1.0" and self._hosts == 0)
        if version not in {"1.0", "1.1"} or not one_host:
            self._reject = 400
            raise _Rejected
        if version == "1.1" and self._answer_at_once(bodiless=self._bodiless):
            return
        if not is_plain(self.url, self.headers):
            self._reject = 400
            raise _Rejected
        # RFC 9110 section 10.1.1: such a client does not know what 100 means.
        self.expect_100_continue = self.expect_100_continue and version == "1.1"
        self.scope["extensions"] = {EXTENSION: {}}
        super().on_headers_complete()
        # uvicorn names the class of its cycles itself; the task has not run yet.
        self.cycle.__class__ = Cycle
        self.cycle.connection = self  # type: ignore[attr-defined]  # it is a Cycle now

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._embodied, self._received = True, 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request's body, unless the parser only says that it will not read it."""
        unread = not self._answered and self.parser.should_upgrade() and has_body(self.headers)
        if unread:
            return
        self._in_head, self._received = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is replaced
        """Answer what could not be parsed, unless an answer is half sent already."""
        self._release_held()
        cycle = self.cycle
        unanswered = cycle is not None and not cycle.response_complete
        if unanswered and not cycle.response_started and not self.pipeline:
            cycle.disconnected = True
            cycle.message_event.set()
        self._outbox.flush()
        if not unanswered or cycle.disconnected:
            self.transport.write(refusal(self._reject, self.server_state.default_headers))
            self._malformed(self._reject)
            self.linger()
        else:
            self.transport.close()

    def linger(self) -> None:
        """Close for writing now; for reading when the peer had time to read the answer."""
        if self._linger_timer is not None or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._linger_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def on_response_complete(self) -> None:
        """Go on to the next request, unless this connection is ending."""
        if self._linger_timer is None:
            super().on_response_complete()

    def shutdown(self) -> None:
        """End the connection after the request that is under way."""
        self._outbox.flush()
        if self._linger_timer is None:
            super().shutdown()


def new_config(app: Any) -> Config:
    """Return uvicorn's configuration for ``app``, reduced to its protocol."""
    config = Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    return config


__all__ = ["Connection", "Endpoint", "new_config"]
