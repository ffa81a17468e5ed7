"""Resident memory: idle, under load, and while one very large blob goes either way."""

from __future__ import annotations

from collections.abc import Callable

from bench import load, memory
from bench.client import Client
from bench.payload import Payload
from bench.plan import MIB, Bench
from bench.servers import MANIFEST_TYPE, Contender, image
from bench.table import Figure, Target

REPOSITORY = "bench/memory"
CONNECTIONS = 32


def measure_idle(bench: Bench) -> list[Figure]:
    """PSS before any load, whole and by process of ours."""
    bench.progress("memory, idle")
    whole = Figure(
        "memory idle, all processes",
        "MiB PSS",
        "imported modules",
        [memory.settled(bench.ours.pid)],
        [memory.settled(bench.peer.pid)],
        Target(most_value=200),
    )
    parts = [
        Figure(f"memory idle, {label}", "MiB PSS", "imported modules", [size])
        for label, (_, size) in zip(
            _labels(bench.workers), memory.by_process(bench.ours.pid), strict=False
        )
    ]
    return [whole, *parts]


def measure_load(bench: Bench) -> list[Figure]:
    """Peak PSS while manifests are read, and how far a large blob raises it."""
    token = bench.ours.token([REPOSITORY])
    config = Payload(1024)
    for contender in (bench.ours, bench.peer):
        with Client(contender.port, token) as client:
            client.push(REPOSITORY, config)
            content = image(config.digest, config.size)
            client.put_manifest(REPOSITORY, "latest", content, MANIFEST_TYPE)
    bench.progress("memory, under load")
    ours, peer = bench.alternate(lambda contender: _reading(bench, contender, token), 1)
    bound = "connections, caches, SQLite's pages"
    figures = [Figure(f"memory, {CONNECTIONS} conn. reading", "MiB PSS", bound, ours, peer)]
    large = Payload(bench.plan.flat_bytes)
    bench.progress("memory, large blob")
    actions: dict[str, Callable[[Client], None]] = {
        "up": lambda client: client.push(REPOSITORY, large),
        "down": lambda client: client.pull(REPOSITORY, large),
    }
    for way, act in actions.items():
        grown = bench.alternate(lambda contender, act=act: _growth(contender, token, act), 1)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        name = f"memory growth, {large.size // MIB} MiB {way}"
        bound = "buffers in flight: must stay flat"
        figures.append(Figure(name, "MiB PSS", bound, *grown, compared=False))
    return figures


def _labels(workers: int) -> list[str]:
    """The processes of ours, in the order in which the supervisor starts them."""
    return ["supervisor", *(f"HTTP worker {number}" for number in range(workers)), "jobs"]


def _reading(bench: Bench, contender: Contender, token: str) -> float:
    url = f"http://127.0.0.1:{contender.port}/v2/{REPOSITORY}/manifests/latest"
    with memory.Peak(contender.pid) as peak:
        load.wrk(url, f"Bearer {token}", CONNECTIONS, bench.plan.seconds, MANIFEST_TYPE)
    return peak.value


def _growth(contender: Contender, token: str, act: Callable[[Client], None]) -> float:
    before = memory.total(contender.pid)
    with memory.Peak(contender.pid) as peak, Client(contender.port, token) as client:
        act(client)
    return peak.value - before
