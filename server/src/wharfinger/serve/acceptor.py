"""Accepts connections for one worker: its own listeners', and what other workers hand to it."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final

from wharfinger.serve.listeners import Listener
from wharfinger.serve.spreading import Place

HANDSHAKE_SECONDS: Final = 10.0
_AT_ONCE: Final = 64
_PAUSE_SECONDS: Final = 0.1
"""How long accepting rests where the process or the system has no descriptor left."""

Factory = Callable[[Listener], asyncio.Protocol]
"""Returns the protocol of a connection that came to a listener."""


class Acceptor:
    """Runs in the worker's event loop. ``connections`` tells how many are open."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        place: Place,
        factory: Factory,
        connections: Callable[[], int],
    ) -> None:
        self._loop: Final = asyncio.get_running_loop()
        self._listeners: Final = listeners
        self._place: Final = place
        self._factory: Final = factory
        self._connections: Final = connections
        self._arriving: Final[set[asyncio.Task[None]]] = set()

    def start(self) -> None:
        """Accept from now on."""
        self._place.join()
        self._loop.add_reader(self._place.arrivals, self._take)
        for index in range(len(self._listeners)):
            self._listen(index)

    def changed(self) -> None:
        """Tell the other workers how many connections this one has."""
        self._place.count(self._connections() + len(self._arriving))

    def close(self) -> None:
        """Stop listening; what other workers handed over is still taken."""
        self._place.leave()
        for listener in self._listeners:
            self._loop.remove_reader(listener.socket)
            listener.socket.close()

    def end(self) -> None:
        """Take nothing more, and let go of what never became a connection."""
        self._take()
        self._loop.remove_reader(self._place.arrivals)
        for task in self._arriving:
            task.cancel()

    def _listen(self, index: int) -> None:
        listening = self._listeners[index].socket
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, index)

    def _accept(self, index: int) -> None:
        listening = self._listeners[index].socket
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue
            except OSError:
                self._loop.remove_reader(listening)
                self._loop.call_later(_PAUSE_SECONDS, self._listen, index)
                return
            if not self._place.give(accepted, index):
                self._begin(accepted, index)

    def _take(self) -> None:
        for given in self._place.taken():
            self._begin(given.socket, given.listener)

    def _begin(self, accepted: socket.socket, index: int) -> None:
        task = self._loop.create_task(self._connect(accepted, self._listeners[index]))
        self._arriving.add(task)
        self.changed()
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        self.changed()

    async def _connect(self, accepted: socket.socket, listener: Listener) -> None:
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._factory(listener),
                accepted,
                ssl=listener.tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if listener.tls else None,
            )
        except OSError:  # it left, or did not shake hands
            accepted.close()
