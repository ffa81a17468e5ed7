"""Figures that are looked up in the database: what waits there, for all nodes together."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from wharfinger.jobs.model import Queue
from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies

SECONDS: Final = 15.0


class Survey:
    """A sampler for the jobs process; looks every quarter of a minute.

    ``queues`` returns what waits and runs by kind, ``uploads`` how many sessions are open.
    """

    def __init__(
        self,
        tallies: Tallies,
        queues: Callable[[], Sequence[Queue]],
        uploads: Callable[[], int],
    ) -> None:
        self._tallies: Final = tallies
        self._queues: Final = queues
        self._uploads: Final = uploads
        self._known: Final[set[str]] = set()
        self._due = 0.0

    def __call__(self) -> None:
        """Take the figures if it is time."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + SECONDS
        found = {queue.kind: queue for queue in self._queues()}
        self._known.update(found)
        for kind in self._known:
            # A kind of which nothing is left shows zeros, not what there was last.
            self._show(found.get(kind, Queue(kind)))
        self._tallies.set(names.UPLOADS_OPEN, (), self._uploads())

    def _show(self, queue: Queue) -> None:
        labels = (queue.kind,)
        self._tallies.set(names.JOBS_WAITING, labels, queue.waiting)
        self._tallies.set(names.JOBS_RUNNING, labels, queue.running)
        self._tallies.set(names.JOBS_FAILING, labels, queue.failing)
        self._tallies.set(names.JOBS_OLDEST, labels, queue.oldest)
