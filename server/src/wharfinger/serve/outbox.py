"""Answers of one turn of the event loop, written together at its end.

To write is to wake whoever reads, and to wake a sleeping process is the dearest part of writing.
Clients that many connections belong to are so woken once a turn, not once an answer
(docs/adr/0024).
"""

import asyncio
from typing import Final

FEW: Final = 4
"""Up to so many connections an answer is written at once: there is nobody to wait for."""

LARGE: Final = 16 * 1024
"""Bytes from which an answer is written at once: copying it is what takes the time then."""


class Outbox:
    """Holds at most one small answer of each connection until the turn ends; for one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._held: Final[dict[asyncio.WriteTransport, bytes]] = {}

    def put(self, transport: asyncio.WriteTransport, answer: bytes, connections: int) -> None:
        """Write ``answer`` when this turn ends, or at once behind what is held.

        ``connections`` is how many there are.
        """
        held = self._held
        if connections <= FEW or transport in held or len(answer) >= LARGE:
            self.flush()
            transport.write(answer)
            return
        if not held:
            self._loop.call_soon(self.flush)
        held[transport] = answer

    def flush(self) -> None:
        """Write what is held; who writes past the outbox, or closes, calls this first."""
        held = self._held
        while held:
            transport, answer = held.popitem()
            if not transport.is_closing():
                transport.write(answer)
