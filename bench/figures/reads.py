"""Manifest GET by tag and digest, and blob HEAD."""

from __future__ import annotations

import hashlib

from bench import load
from bench.client import Client
from bench.payload import Payload
from bench.plan import Bench
from bench.servers import MANIFEST_TYPE, Contender, image
from bench.table import Figure, Target

REPOSITORY = "bench/reads"
CONFIG_BYTES = 1024
BOUND = "one core of Python: parsing, token cache, one SQLite statement"
BOUND_HEAD = f"{BOUND}; also the client's loop"
BOUND_ALONE = "waking server and client by the kernel, once each a request"
BOUND_HEAD_ALONE = f"{BOUND_ALONE}; the client's loop"
TARGET = Target(least_ratio=4)
"""Of throughput: with one connection both sides sleep most of the time."""


def measure(bench: Bench) -> list[Figure]:
    """Requests a second with 1 and 32 connections."""
    token = bench.ours.token([REPOSITORY])
    config = Payload(CONFIG_BYTES)
    manifest = image(config.digest, config.size)
    for contender in (bench.ours, bench.peer):
        _seed(contender, token, config, manifest)
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    paths = {"tag": f"/v2/{REPOSITORY}/manifests/latest"}
    paths["digest"] = f"/v2/{REPOSITORY}/manifests/{digest}"
    figures = [
        _get(bench, token, f"manifest GET by {kind}", path, connections)
        for kind, path in paths.items()
        for connections in (1, 32)
    ]
    blob = f"/v2/{REPOSITORY}/blobs/{config.digest}"
    return figures + [_head(bench, token, blob, connections) for connections in (1, 32)]


def seed_manifest(repository: str, token: str, *contenders: Contender) -> str:
    """Pushes a small image to all of them; returns the path of its manifest's tag."""
    config = Payload(CONFIG_BYTES)
    for contender in contenders:
        with Client(contender.port, token) as client:
            client.push(repository, config)
            content = image(config.digest, config.size)
            client.put_manifest(repository, "latest", content, MANIFEST_TYPE)
    return f"/v2/{repository}/manifests/latest"


def _seed(contender: Contender, token: str, config: Payload, manifest: bytes) -> None:
    with Client(contender.port, token) as client:
        client.push(REPOSITORY, config)
        client.put_manifest(REPOSITORY, "latest", manifest, MANIFEST_TYPE)


def _get(bench: Bench, token: str, name: str, path: str, connections: int) -> Figure:
    bench.progress(f"{name}, {connections} connections")

    def rate(contender: Contender) -> float:
        url = f"http://127.0.0.1:{contender.port}{path}"
        return load.wrk(url, f"Bearer {token}", connections, bench.plan.seconds, MANIFEST_TYPE)

    ours, peer = bench.alternate(rate)
    bound, target = (BOUND, TARGET) if connections > 1 else (BOUND_ALONE, None)
    return Figure(f"{name}, {connections} conn.", "1/s", bound, ours, peer, target)


def _head(bench: Bench, token: str, path: str, connections: int) -> Figure:
    bench.progress(f"blob HEAD, {connections} connections")

    def rate(contender: Contender) -> float:
        return load.head(contender.port, path, token, connections, bench.plan.seconds)

    ours, peer = bench.alternate(rate)
    bound, target = (BOUND_HEAD, TARGET) if connections > 1 else (BOUND_HEAD_ALONE, None)
    return Figure(f"blob HEAD, {connections} conn.", "1/s", bound, ours, peer, target)
