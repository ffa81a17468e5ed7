"""Evens out how many connections each worker has: one that has more hands a new one to another.

The kernel spreads new connections by a hash of their addresses, blind to what each worker has. Of
the few that one client pushes through at once, all may so come to one worker, which then does
alone what several could (docs/adr/0027).
"""

import mmap
import socket
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_CELL: Final = 8
_MESSAGE: Final = 2
_TOLERATED: Final = 8
"""One connection more is tolerated for each so many that a worker has."""


class Given(Struct, frozen=True):
    """A connection from another worker, and the place of the listener that it came to."""

    socket: socket.socket
    listener: int


class Spread:
    """What all workers see: made before they are forked, kept by the supervisor.

    ``workers`` is how many there are, at most 255.
    """

    def __init__(self, workers: int) -> None:
        self.workers: Final = workers
        # Each cell is written by one process only: nothing needs a lock.
        self._cells: Final = memoryview(mmap.mmap(-1, _CELL * workers * (2 + 2 * workers))).cast(
            "q"
        )
        self._ways: Final = [_way() for _ in range(workers)]

    def place(self, worker: int) -> "Place":
        """Return what a worker does with it."""
        return Place(self, worker, [sender for sender, _ in self._ways], self._ways[worker][1])

    def left(self, worker: int) -> None:
        """Give a worker nothing more: it has ended. What it was given waits for its successor."""
        self._cells[worker] = 0

    def joined(self, worker: int) -> None:
        """Let a worker be given connections; it has none yet."""
        self.count(worker, 0)
        self._cells[worker] = 1

    def count(self, worker: int, connections: int) -> None:
        """Tell how many connections a worker has."""
        self._cells[self.workers + worker] = connections

    def gave(self, giver: int, taker: int, change: int) -> None:
        """Count what was given; by the giver."""
        self._cells[self._cell(0, giver, taker)] += change

    def took(self, giver: int, taker: int) -> None:
        """Count what was taken; by the taker."""
        self._cells[self._cell(1, giver, taker)] += 1

    def load(self, worker: int) -> int | None:
        """Return how many connections a worker has or was given; None if it is not there."""
        if not self._cells[worker]:
            return None
        under_way = sum(
            max(
                0,
                self._cells[self._cell(0, giver, worker)]
                - self._cells[self._cell(1, giver, worker)],
            )
            for giver in range(self.workers)
        )
        return self._cells[self.workers + worker] + under_way

    def _cell(self, table: int, giver: int, taker: int) -> int:
        return self.workers * (2 + table * self.workers + giver) + taker


class Place:
    """One worker's part; used by its event loop only. Nothing here waits."""

    def __init__(
        self, spread: Spread, worker: int, ways: list[socket.socket], own: socket.socket
    ) -> None:
        self._spread: Final = spread
        self._worker: Final = worker
        self._ways: Final = ways
        self.arrivals: Final = own
        """Can be read from when another worker gave a connection."""

    def join(self) -> None:
        """Be there for connections."""
        self._spread.joined(self._worker)

    def leave(self) -> None:
        """Be given no more."""
        self._spread.left(self._worker)

    def count(self, connections: int) -> None:
        """Tell how many connections this worker has."""
        self._spread.count(self._worker, connections)

    def give(self, accepted: socket.socket, listener: int) -> bool:
        """Hand a new connection to a worker that has fewer; False where none has.

        ``listener`` is the place of the one it came to. The socket is closed here then.
        """
        taker = self._lightest()
        if taker is None:
            return False
        self._spread.gave(self._worker, taker, 1)
        message = bytes((self._worker, listener))
        try:
            socket.send_fds(self._ways[taker], [message], [accepted.fileno()])
        except OSError:
            # Its queue is full: it is slower than this one.
            self._spread.gave(self._worker, taker, -1)
            return False
        accepted.close()
        return True

    def taken(self) -> Iterator[Given]:
        """Yield what other workers gave."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self.arrivals, _MESSAGE, 1)
            except OSError:
                return
            giver, listener = message
            self._spread.took(giver, self._worker)
            for descriptor in descriptors:
                yield Given(socket.socket(fileno=descriptor), listener)

    def _lightest(self) -> int | None:
        """Return the worker with fewest connections, if that is clearly less than this one's."""
        own = self._spread.load(self._worker) or 0
        others = [
            (load, worker)
            for worker in range(self._spread.workers)
            if worker != self._worker and (load := self._spread.load(worker)) is not None
        ]
        if not others:
            return None
        load, worker = min(others)
        return worker if load + own // _TOLERATED < own else None


def _way() -> tuple[socket.socket, socket.socket]:
    way = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in way:
        end.setblocking(False)
    return way
