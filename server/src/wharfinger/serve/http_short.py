"""The part of a connection that answers plain requests itself, without a task of the loop.

Some it answers at once, of others it holds the body first (`held_body`); which those are the
application says (`web.at_once`). What else a connection does is in `http_protocol`.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from wharfinger.serve.held_body import HeldBody
from wharfinger.serve.outbox import Outbox
from wharfinger.settings import Settings
from wharfinger.web.at_once import AtOnce, Short

_METHODS: Final = {b"GET": "GET", b"HEAD": "HEAD", b"POST": "POST"}
_PLAIN: Final = re.compile(rb"/v2/[A-Za-z0-9._/:-]+")


def _uncounted(_status: int) -> None:
    """Count nothing."""


def _unnoticed() -> None:
    """Do nothing."""


class Endpoint(Struct, frozen=True):
    """What connections of one listener share.

    ``short`` is what the application has answered without a task, ``malformed`` is told the status
    of what is refused before it is a request, ``changed`` that a connection came or went;
    ``outbox`` writes for the loop that they all run in.
    """

    config: Config
    state: ServerState
    settings: Settings
    short: Short
    outbox: Outbox
    malformed: Callable[[int], None] = _uncounted
    changed: Callable[[], None] = _unnoticed


class ShortConnection(HttpToolsProtocol):
    """One client's connection, as far as no task is needed."""

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(endpoint.config, endpoint.state, {}, _loop=loop)
        self._short: Final = endpoint.short
        self._outbox: Final = endpoint.outbox
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_end = 0.0
        self._held: HeldBody | None = None
        self._in_headers = False
        self._answered = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave to the application what came of a body."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        super().connection_lost(exc)
        self._release_held()

    def on_headers_complete(self) -> None:
        """Start the application, or hold what needs no task."""
        self._in_headers = True
        super().on_headers_complete()
        self._in_headers = False

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._held is not None and self._held.holds:
            self._held.take(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request's body."""
        held, self._held = self._held, None
        if held is not None and held.holds:
            held.complete()
        elif not self._answered:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Make a task of the request, unless it is one that needs none; called by uvicorn.

        One that waited for its turn makes a task: some or all of its body is there already.
        """
        plain = self._in_headers and cycle.keep_alive and not cycle.waiting_for_100_continue
        job = self._short.intake(cycle.scope) if plain else None  # type: ignore[arg-type]  # as below
        if job is None:
            super()._start_asgi_task(cycle, app)
            return
        self._held = HeldBody(self, cycle, job, self._short, self.loop)

    def make_task(self, cycle: RequestResponseCycle) -> None:
        """Let the application answer what was held; see `held_body`."""
        super()._start_asgi_task(cycle, self.app)

    def answer_held(self, cycle: RequestResponseCycle, answer: AtOnce) -> None:
        """Answer what was held; see `held_body`."""
        cycle.response_started = cycle.response_complete = True
        if self.transport.is_closing():
            return
        status, lines, body = answer
        last = not cycle.keep_alive
        self._write_answer(status, lines + b"connection: close\r\n" if last else lines, body)
        if last or self.pipeline:
            self._outbox.flush()
        if last:
            self.transport.close()
        elif self.pipeline:
            self.on_response_complete()

    def _release_held(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None

    def _answer_at_once(self, *, bodiless: bool) -> bool:
        """Answer a plain request without making a task of it, where nothing stands before it.

        Halves the cost of a request (docs/adr/0003). Whatever needs more than the simplest HTTP
        (a body, a query, escapes, the end of the connection, a client that does not read) is
        the application's.
        """
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or self.pipeline or self.flow.write_paused or not self.parser.should_keep_alive():
            return False
        method = _METHODS.get(self.parser.get_method())
        if method is None or not bodiless or not _PLAIN.fullmatch(self.url):
            return False
        scope = self.scope
        scope["method"], scope["path"], scope["raw_path"] = method, self.url.decode(), self.url
        answer = self._short.answer(scope)  # type: ignore[arg-type]  # a scope is a dict
        if answer is None:
            return False
        self._write_answer(*answer)
        return True

    def _write_answer(self, status: int, lines: bytes, body: bytes) -> None:
        self._answered = True
        state = self.server_state
        defaults = b"".join([b"%s: %s\r\n" % header for header in state.default_headers])
        answer = b"".join((STATUS_LINE[status], defaults, lines, b"\r\n", body))
        self._outbox.put(self.transport, answer, len(state.connections))
        state.total_requests += 1
        self._rest()

    def _rest(self) -> None:
        """Let the connection end when nothing more comes for a while.

        The timer is not moved with each answer; when it fires it looks when the last one was.
        """
        self._unset_keepalive_if_required()
        self._idle_end = self.loop.time() + self.timeout_keep_alive
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._idle_over)

    def _idle_over(self) -> None:
        self._idle_timer = None
        at_work = self.cycle is not None and not self.cycle.response_complete
        if at_work or self._awaits_head() or self.timeout_keep_alive_task is not None:
            # Other timers watch over it now.
            return
        left = self._idle_end - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._idle_over)
        else:
            self.timeout_keep_alive_handler()

    def _awaits_head(self) -> bool:
        """Whether somebody watches over a request's head already; here nobody does."""
        return False
