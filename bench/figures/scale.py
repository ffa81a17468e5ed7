"""Ours against itself: more workers, PostgreSQL and an object store, many repositories."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import load
from bench.client import Client
from bench.figures.pushes import pull_rate, push_rate
from bench.figures.reads import seed_manifest
from bench.plan import MIB, Bench
from bench.servers import MANIFEST_TYPE, NAMESPACE, Ours
from bench.table import Figure
from tests.support.postgres import Cluster
from tests.support.s3 import S3Server

REPOSITORY = "bench/blobs"
WORKERS = (1, 2, 4)
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}
PAGE = 100


def measure_workers(bench: Bench) -> list[Figure]:
    """Reads and pushes with 1, 2 and 4 workers on the same machine."""
    figures = []
    for workers in WORKERS:
        with Ours(bench.scratch / f"workers-{workers}", workers) as ours:
            figures += _rates(bench, ours, f"{workers} worker(s)")
    return figures


def measure_scaled(bench: Bench) -> list[Figure]:
    """Reads and pushes over PostgreSQL and S3, to be read beside those of the workers above."""
    with (
        _scaled_settings() as settings,
        Ours(bench.scratch / "scaled", bench.workers, settings) as ours,
    ):
        return _rates(bench, ours, f"{bench.workers} worker(s), PostgreSQL + S3")


@contextmanager
def _scaled_settings() -> Iterator[dict[str, str]]:
    """Settings that name a PostgreSQL server, one that syncs, and an S3 server, both running."""
    # The database's server runs as another user, so its folder lies where that one may go.
    with (
        TemporaryDirectory(prefix="bench-pg-") as place,
        TemporaryDirectory(prefix="bench-s3-") as objects,
        Cluster(Path(place), DURABLE) as cluster,
        S3Server(Path(objects)) as store,
    ):
        yield {
            "WHARFINGER_DATABASE_URL": cluster.create("template1"),
            "WHARFINGER_BLOBS_URL": store.blobs_url(),
            **store.environment,
        }


def measure_catalogue(bench: Bench) -> list[Figure]:
    """Milliseconds of a page of the catalogue with few and with very many repositories."""
    figures = []
    token = bench.ours.catalogue_token()
    path = f"/v2/_catalog?n={PAGE}"
    for repositories in (100, bench.plan.many_repositories):
        bench.progress(f"catalogue of {repositories} repositories")
        with _with_repositories(bench.ours, repositories):
            values = []
            with Client(bench.ours.port, token) as client:
                for _ in range(bench.plan.rounds):
                    values.append(_median_milliseconds(client, path, bench.plan.requests))
            name = f"catalogue page n={PAGE}, {repositories:,} repositories"
            figures.append(Figure(name, "ms", "one range of an index", values))
    return figures


def _rates(bench: Bench, ours: Ours, label: str) -> list[Figure]:
    bench.progress(label)
    token = ours.token([REPOSITORY])
    path = seed_manifest(REPOSITORY, token, ours)
    url = f"http://127.0.0.1:{ours.port}{path}"
    plan = bench.plan
    reads = [
        load.wrk(url, f"Bearer {token}", 64, plan.seconds, MANIFEST_TYPE)
        for _ in range(plan.rounds)
    ]
    figures = [Figure(f"manifest GET, 64 conn., {label}", "1/s", "cores", reads)]
    for size, name, clients in ((100_000, "100 kB", 1), (100_000, "100 kB", 64), (MIB, "1 MiB", 4)):
        pushed = [push_rate(ours, token, size, plan.blobs, clients) for _ in range(plan.rounds)]
        title = f"push {name}, {clients} clients, {label}"
        figures.append(Figure(title, "blobs/s", "cores, fsync", pushed))
    pulled = [pull_rate(ours, token, MIB, plan.blobs, 64) for _ in range(plan.rounds)]
    return [*figures, Figure(f"pull 1 MiB, 64 clients, {label}", "blobs/s", "cores", pulled)]


@contextmanager
def _with_repositories(ours: Ours, count: int) -> Iterator[None]:
    """Rows of ``count`` more repositories, written as the store would, while nobody serves."""
    ours.stop()
    with sqlite3.connect(ours.data / "wharfinger.db") as connection:
        connection.execute("DELETE FROM repositories WHERE name LIKE 'bench/catalogue/%'")
        region, account = connection.execute(
            "SELECT region, account_id FROM namespaces WHERE name = ?", (NAMESPACE,)
        ).fetchone()
        connection.executemany(
            "INSERT INTO repositories (region, account_id, namespace, name, created_at)"
            " VALUES (?, ?, ?, ?, 0)",
            (
                (region, account, NAMESPACE, f"bench/catalogue/{number:06d}")
                for number in range(count)
            ),
        )
    connection.close()
    ours.start()
    yield


def _median_milliseconds(client: Client, path: str, requests: int) -> float:
    spent = []
    for _ in range(requests):
        start = time.perf_counter()
        client.request("GET", path, expect=200)
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent)
