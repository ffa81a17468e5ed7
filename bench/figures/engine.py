"""Ours, authenticated, beside the peer without authentication, nginx, and the disk itself."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import load
from bench.client import Client
from bench.figures.pushes import Push, pull_rate, push_rate
from bench.figures.reads import seed_manifest
from bench.payload import Payload
from bench.plan import MIB, Bench
from bench.servers import MANIFEST_TYPE, Contender, Peer, wait_answer
from bench.table import Figure, Target
from tests.support.server import free_ports
from tests.support.tools import provision

REPOSITORY = "bench/blobs"
KIB = 1024
SIZES = ((KIB, "1 KiB"), (100_000, "100 kB"), (MIB, "1 MiB"))
THREE = ("", Client.push, 3)
WHOLE = (" in one PUT", Client.push_whole, 2)
# A round of 50 ms is soon disturbed: many of them tell more.
LARGE_PULLS = 5
NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {folder}/t;
  proxy_temp_path {folder}/t;
  fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t;
  scgi_temp_path {folder}/t;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def measure(bench: Bench) -> list[Figure]:
    """Targets against a peer that checks no token, and against what the machine itself can do."""
    token = bench.ours.token([REPOSITORY])
    with Peer(bench.scratch / "open-peer", bench.ours, guarded=False) as peer:
        return [
            _reads(bench, peer, token),
            *_latency(bench, token),
            *(_pushes(bench, peer, token, *size, clients) for size in SIZES for clients in (1, 4)),
            *(_pushes(bench, peer, token, *SIZES[1], clients, WHOLE) for clients in (1, 4)),
            *(_pulls(bench, peer, token, *size) for size in SIZES),
            _large_push(bench, token),
            _large_pull(bench, token),
        ]


def _reads(bench: Bench, peer: Peer, token: str) -> Figure:
    bench.progress("manifest GET, peer unauthenticated")
    path = seed_manifest(REPOSITORY, token, bench.ours, peer)

    def rate(contender: Contender) -> float:
        url = f"http://127.0.0.1:{contender.port}{path}"
        return load.wrk(url, f"Bearer {token}", 32, bench.plan.seconds, MANIFEST_TYPE)

    values = _alternate(bench, peer, rate)
    name = "manifest GET by tag, 32 conn., peer open"
    return Figure(name, "1/s", "one core of Python", *values, Target(least_ratio=5))


def _latency(bench: Bench, token: str) -> list[Figure]:
    bench.progress("latency at 64 connections")
    path = seed_manifest(REPOSITORY, token, bench.ours)
    url = f"http://127.0.0.1:{bench.ours.port}{path}"
    rounds = [
        load.wrk_latency(url, f"Bearer {token}", 64, bench.plan.seconds, MANIFEST_TYPE)
        for _ in range(bench.plan.rounds)
    ]
    bound = "the loop's queue"
    times = [latency.p99 / latency.median for latency in rounds]
    return [
        Figure("manifest GET, 64 conn., median", "ms", bound, [one.median for one in rounds]),
        Figure("manifest GET, 64 conn., p99", "ms", bound, [one.p99 for one in rounds]),
        Figure("p99 at 64 conn.", "x median", bound, times, (), Target(most_value=10)),
    ]


def _pushes(
    bench: Bench,
    peer: Peer,
    token: str,
    size: int,
    label: str,
    clients: int,
    way: tuple[str, Push, int] = THREE,
) -> Figure:
    kind, push, requests = way
    name = f"push {label}{kind}, {clients} clients"
    bench.progress(f"{name}, peer unauthenticated")
    values = _alternate(
        bench, peer, lambda each: push_rate(each, token, size, bench.plan.blobs, clients, push)
    )
    target = Target(least_ratio=2.5) if (size, clients) == (100_000, 4) else None
    bound = f"per blob {requests} requests, SHA-256, fsync of file, folder and database"
    return Figure(f"{name}, peer open", "blobs/s", bound, *values, target)


def _pulls(bench: Bench, peer: Peer, token: str, size: int, label: str) -> Figure:
    bench.progress(f"pull {label}, 64 clients")
    values = _alternate(
        bench, peer, lambda each: pull_rate(each, token, size, bench.plan.blobs * 4, 64)
    )
    return Figure(f"pull {label}, 64 clients, peer open", "blobs/s", "the client", *values)


def _large_push(bench: Bench, token: str) -> Figure:
    size = bench.plan.large_bytes
    bench.progress(f"push {size // MIB} MiB beside hashing and one durable write")
    pushed, bare = [], []
    for _ in range(bench.plan.rounds):
        payload = Payload(size)
        os.sync()
        with Client(bench.ours.port, token) as client:
            start = time.perf_counter()
            client.push(REPOSITORY, payload)
            pushed.append(size / MIB / (time.perf_counter() - start))
        bare.append(size / MIB / _hash_and_write(bench.scratch / "bare", payload))
    name = f"push {size // MIB} MiB; peer: hash, then one durable write"
    bound = "SHA-256 and receiving, a core each, then the disk"
    return Figure(name, "MiB/s", bound, pushed, bare, Target(least_ratio=0.8))


def _hash_and_write(path: Path, payload: Payload) -> float:
    os.sync()
    start = time.perf_counter()
    state = hashlib.sha256()
    with path.open("wb") as file:
        for part in payload.parts():
            state.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    spent = time.perf_counter() - start
    path.unlink()
    return spent


def _large_pull(bench: Bench, token: str) -> Figure:
    payload = Payload(bench.plan.large_bytes)
    label = f"{payload.size // MIB} MiB"
    bench.progress(f"pull {label} beside nginx")
    with Client(bench.ours.port, token) as client:
        client.push(REPOSITORY, payload)
    folder = bench.scratch / "nginx"
    folder.mkdir()
    with (folder / "blob").open("wb") as file:
        file.writelines(payload.parts())
    ours, peer = [], []
    with _nginx(folder) as port:
        for _ in range(LARGE_PULLS * bench.plan.rounds):
            path = f"/v2/{REPOSITORY}/blobs/{payload.digest}"
            ours.append(_download(bench.ours.port, token, path, payload.size))
            peer.append(_download(port, token, "/blob", payload.size))
    name = f"pull {label}; peer: nginx"
    return Figure(name, "MiB/s", "copying by the client", ours, peer, Target(least_ratio=0.9))


def _download(port: int, token: str, path: str, size: int) -> float:
    """MiB a second, the median of three: the first of a connection warms the socket's buffers."""
    rates = []
    with Client(port, token) as client:
        for _ in range(3):
            start = time.perf_counter()
            client.request("GET", path, expect=200, keep=False)
            rates.append(size / MIB / (time.perf_counter() - start))
    return statistics.median(rates)


@contextmanager
def _nginx(folder: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    # Its worker drops root's rights.
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.getuid() and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    (folder / "blob").chmod(0o644)
    process = subprocess.Popen([provision("nginx"), "-c", str(config), "-p", str(folder)])
    try:
        wait_answer(port, "/blob", 200, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _alternate(
    bench: Bench, peer: Peer, rate: Callable[[Contender], float]
) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    for _ in range(bench.plan.rounds):
        ours.append(rate(bench.ours))
        theirs.append(rate(peer))
    return ours, theirs
