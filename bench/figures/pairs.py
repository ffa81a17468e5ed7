"""Two servers of ours beside each other, in rounds so short that both have the same weather."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from bench.client import Client
from bench.memory import session_pids
from bench.payload import Payload
from bench.servers import Ours

One = TypeVar("One")
NANOSECONDS_EACH_MICROSECOND = 1_000


class Cost(NamedTuple):
    """Of one round: blobs a second, and microseconds of the server's processors for each blob."""

    rate: float
    cpu: float


class Driver:
    """Clients of one server, whose connections stay open over all rounds."""

    def __init__(self, ours: Ours, clients: int, repository: str) -> None:
        token = ours.token([repository])
        self._server = ours
        self._clients = [Client(ours.port, token) for _ in range(clients)]
        self._pool = ThreadPoolExecutor(clients)
        self._repository = repository

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for client in self._clients:
            client.__exit__()

    def keep(self, payload: Payload) -> None:
        """Pushes what is to be pulled."""
        self._clients[0].push(self._repository, payload)

    def pull(self, payload: Payload, count: int) -> Cost:
        """Pulls ``count`` times with each client."""
        return self._cost([[payload] * count for _ in self._clients], Client.pull)

    def push(self, size: int, count: int) -> Cost:
        """Pushes ``count`` new blobs of ``size`` bytes with each client."""
        shares = [[Payload(size) for _ in range(count)] for _ in self._clients]
        return self._cost(shares, Client.push)

    def _cost(
        self, shares: Sequence[Sequence[Payload]], act: Callable[[Client, str, Payload], None]
    ) -> Cost:
        def work(client: Client, share: Sequence[Payload]) -> None:
            for payload in share:
                act(client, self._repository, payload)

        blobs, cpu = sum(map(len, shares)), cpu_nanoseconds(self._server.pid)
        start = time.perf_counter()
        list(self._pool.map(work, self._clients, shares))
        seconds = time.perf_counter() - start
        cpu = cpu_nanoseconds(self._server.pid) - cpu
        return Cost(blobs / seconds, cpu / blobs / NANOSECONDS_EACH_MICROSECOND)


def cpu_nanoseconds(leader: int) -> int:
    """Time that all threads of the session's processes were on a processor, theirs and kernel's."""
    spent = 0
    for pid in session_pids(leader):
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # it ended
                spent += int(thread.read_text().split()[0])
    return spent


def in_pairs(
    pairs: int, first: One, second: One, measure: Callable[[One], Cost]
) -> tuple[list[Cost], list[Cost]]:
    """Costs of either side, one a pair; who begins changes from pair to pair."""
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    for number in range(pairs):
        for one_is_first in (number % 2 == 0, number % 2 == 1):
            costs[one_is_first].append(measure(first if one_is_first else second))
    return costs[True], costs[False]


def typical(first: Sequence[Cost], second: Sequence[Cost]) -> tuple[Cost, Cost]:
    """One pair that stands for all: the second's medians, and the first by the median quotients."""
    rate = statistics.median(one.rate for one in second)
    cpu = statistics.median(one.cpu for one in second)
    faster = statistics.median(a.rate / b.rate for a, b in zip(first, second, strict=True))
    dearer = statistics.median(a.cpu / b.cpu for a, b in zip(first, second, strict=True))
    return Cost(rate * faster, cpu * dearer), Cost(rate, cpu)
