"""Blob push from 1 and 4 clients, and blob pull."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

from bench.client import Client
from bench.payload import Payload
from bench.plan import MIB, Bench
from bench.servers import Contender
from bench.table import Figure, Target

REPOSITORY = "bench/blobs"
PUSHED = Target(least_ratio=1)
PULLED = Target(least_ratio=0.9)


def measure(bench: Bench) -> list[Figure]:
    """MiB a second."""
    token = bench.ours.token([REPOSITORY])
    size = bench.plan.large_bytes // MIB
    return [
        *(_push_small(bench, token, clients) for clients in (1, 4)),
        _push_large(bench, token, f"blob push {size} MiB"),
        _pull_large(bench, token, f"blob pull {size} MiB"),
    ]


def _push_small(bench: Bench, token: str, clients: int) -> Figure:
    bench.progress(f"blob push 1 MiB x {bench.plan.small_blobs}, {clients} clients")
    each = bench.plan.small_blobs // clients

    def rate(contender: Contender) -> float:
        shares = [[Payload(MIB) for _ in range(each)] for _ in range(clients)]
        os.sync()
        with ThreadPoolExecutor(clients) as pool:
            start = time.perf_counter()
            list(pool.map(lambda share: _push_all(contender, token, share), shares))
            return each * clients / (time.perf_counter() - start)

    ours, peer = bench.alternate(rate)
    bound = "per blob 3 requests, SHA-256, fsync of file, folder and database"
    name = f"blob push 1 MiB x {each * clients}, {clients} clients"
    return Figure(name, "MiB/s", bound, ours, peer, PUSHED)


def _push_all(contender: Contender, token: str, payloads: list[Payload]) -> None:
    with Client(contender.port, token) as client:
        for payload in payloads:
            client.push(REPOSITORY, payload)


def _push_large(bench: Bench, token: str, name: str) -> Figure:
    bench.progress(name)

    def rate(contender: Contender) -> float:
        payload = Payload(bench.plan.large_bytes)
        os.sync()
        with Client(contender.port, token) as client:
            start = time.perf_counter()
            client.push(REPOSITORY, payload)
            return payload.size / MIB / (time.perf_counter() - start)

    ours, peer = bench.alternate(rate)
    return Figure(
        name, "MiB/s", "SHA-256 and receiving, a core each, then the disk", ours, peer, PUSHED
    )


def _pull_large(bench: Bench, token: str, name: str) -> Figure:
    bench.progress(name)
    payload = Payload(bench.plan.large_bytes)
    for contender in (bench.ours, bench.peer):
        _push_all(contender, token, [payload])

    def rate(contender: Contender) -> float:
        with Client(contender.port, token) as client:
            start = time.perf_counter()
            client.pull(REPOSITORY, payload)
            return payload.size / MIB / (time.perf_counter() - start)

    ours, peer = bench.alternate(rate)
    return Figure(name, "MiB/s", "copying out of the loopback by the client", ours, peer, PULLED)
