"""An HTTP worker: one event loop, its listeners, and an end that lets transfers finish."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from email.utils import formatdate
from typing import Any, Final

import uvloop
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from wharfinger.cores import settle
from wharfinger.serve.acceptor import Acceptor
from wharfinger.serve.http_protocol import Connection, Endpoint, new_config
from wharfinger.serve.listeners import Listener
from wharfinger.serve.outbox import Outbox
from wharfinger.serve.spreading import Place
from wharfinger.settings import Settings
from wharfinger.web.at_once import Short
from wharfinger.web.sendfile import ClientGone

CLOSING_LOOK_SECONDS: Final = 0.05
SWITCH_SECONDS: Final = 0.0005


class HttpServer:
    """Serves one application on some listeners until it is told to stop."""

    def __init__(
        self,
        service: "Service",
        listeners: Sequence[Listener],
        place: Place,
        settings: Settings,
    ) -> None:
        self._settings: Final = settings
        self._state: Final = service.state
        self._outbox: Final = Outbox(asyncio.get_running_loop())
        self._acceptor: Final = Acceptor(
            listeners, place, self._connection, lambda: len(service.state.connections)
        )
        self._endpoint: Final = self._endpoint_for(service, service.app, service.short)
        self._figures: Final = self._endpoint_for(service, service.figures, Short())

    def _endpoint_for(self, service: "Service", app: ASGIApp, short: Short) -> Endpoint:
        config = new_config(_quiet(app))
        return Endpoint(
            config,
            self._state,
            self._settings,
            short,
            self._outbox,
            service.malformed,
            self._acceptor.changed,
        )

    def _connection(self, listener: Listener) -> Connection:
        endpoint = self._figures if listener.figures else self._endpoint
        return Connection(endpoint, asyncio.get_running_loop())

    def start(self) -> None:
        """Accept connections from now on."""
        self._date()
        self._acceptor.start()

    async def stop(self) -> None:
        """Close the listeners, let transfers finish within their setting, then abort the rest."""
        self._acceptor.close()
        deadline = time.monotonic() + self._settings.shutdown_seconds
        # What was accepted just now becomes a connection within the loop's next turns.
        await asyncio.sleep(CLOSING_LOOK_SECONDS)
        self._acceptor.end()
        while self._state.connections and time.monotonic() < deadline:
            # Again and again: a connection may have begun another request meanwhile.
            for connection in list(self._state.connections):
                connection.shutdown()
            await asyncio.sleep(CLOSING_LOOK_SECONDS)
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        if self._state.tasks:
            await asyncio.wait(list(self._state.tasks), timeout=2)

    def _date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        asyncio.get_running_loop().call_later(1, self._date)


def _quiet(app: ASGIApp) -> ASGIApp:
    async def without_traceback(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientGone):  # nobody is there to be told
            await app(scope, receive, send)

    return without_traceback


def run_worker(
    build: Callable[[], "Service"],
    listeners: Sequence[Listener],
    place: Place,
    settings: Settings,
    core: int,
    life: int,
) -> None:
    """Run a worker in this freshly forked process until SIGTERM, or until ``life`` ends.

    ``core`` is the number of the core that it settles on, if it is to. ``life`` is a pipe whose
    other end only the supervisor holds: its end is the supervisor's.
    """
    # Threads of services let go of the interpreter at each statement and file operation. By
    # default they would then wait up to 5 ms for it, many times a request, while the loop is busy.
    sys.setswitchinterval(SWITCH_SECONDS)
    if settings.pin_workers:
        settle(core)
    uvloop.run(_serve(build, listeners, place, settings, life))


class Service(Struct, frozen=True):
    """An application and what must be done around serving it.

    ``figures`` is the application of the port for metrics, ``warm`` what is loaded once requests
    are answered, ``malformed`` is told of what is refused before it is a request, and ``state``
    knows the connections.
    """

    app: ASGIApp
    short: Short
    figures: ASGIApp
    warm: Callable[[], Coroutine[Any, Any, None]]
    close: Callable[[], None]
    malformed: Callable[[int], None]
    state: ServerState


async def _serve(
    build: Callable[[], Service],
    listeners: Sequence[Listener],
    place: Place,
    settings: Settings,
    life: int,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Ctrl-C reaches the whole group; the supervisor decides what it means.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_reader(life, stop.set)
    service = build()
    server = HttpServer(service, listeners, place, settings)
    server.start()
    warming = asyncio.create_task(service.warm())
    await stop.wait()
    loop.remove_reader(life)
    await server.stop()
    if not warming.done():
        warming.cancel()
    await loop.run_in_executor(None, service.close)
    os.close(life)
