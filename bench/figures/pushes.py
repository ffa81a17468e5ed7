"""Many blobs from many clients at once, by the size of a blob."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench.client import Client
from bench.payload import Payload
from bench.servers import Contender

REPOSITORY = "bench/blobs"


Push = Callable[[Client, str, Payload], None]
"""Sends a blob to a repository, in as many requests as some kind of client makes."""


def push_rate(
    contender: Contender,
    token: str,
    size: int,
    count: int,
    clients: int,
    push: Push = Client.push,
) -> float:
    """Blobs of ``size`` bytes a second that ``clients`` push, each new."""
    shares = [[Payload(size) for _ in range(count // clients)] for _ in range(clients)]
    os.sync()
    with ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        list(pool.map(lambda share: _push_all(contender, token, share, push), shares))
        return count // clients * clients / (time.perf_counter() - start)


def pull_rate(contender: Contender, token: str, size: int, count: int, clients: int) -> float:
    """Pulls a second of one blob of ``size`` bytes by ``clients``."""
    payload = Payload(size)
    _push_all(contender, token, [payload])
    each = count // clients
    with ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        list(pool.map(lambda _: _pull_all(contender, token, payload, each), range(clients)))
        return each * clients / (time.perf_counter() - start)


def _push_all(
    contender: Contender, token: str, payloads: list[Payload], push: Push = Client.push
) -> None:
    with Client(contender.port, token) as client:
        for payload in payloads:
            push(client, REPOSITORY, payload)


def _pull_all(contender: Contender, token: str, payload: Payload, count: int) -> None:
    with Client(contender.port, token) as client:
        for _ in range(count):
            client.pull(REPOSITORY, payload)
