"""Collection of blobs that nothing needs: its rate, and what it costs those who pull meanwhile."""

from __future__ import annotations

import sqlite3
import threading
import time

from bench import load
from bench.client import Client
from bench.figures.reads import seed_manifest
from bench.payload import Payload
from bench.plan import Bench
from bench.servers import MANIFEST_TYPE, Ours
from bench.table import Figure, Target

REPOSITORY = "bench/garbage"
BLOB_BYTES = 1024
CLIENTS = 4
PER_MINUTE = 5_000
SETTINGS = {"WHARFINGER_COLLECTION_GRACE_SECONDS": "86400"}


def measure(bench: Bench) -> list[Figure]:
    """Blobs a minute, and the latency of a manifest GET beside the collection and without."""
    with Ours(bench.scratch / "collected", bench.workers, SETTINGS) as ours:
        token = ours.token([REPOSITORY])
        path = seed_manifest(REPOSITORY, token, ours)
        url = f"http://127.0.0.1:{ours.port}{path}"
        bench.progress(f"pushing {bench.plan.garbage} blobs that nothing needs")
        _litter(ours, token, bench.plan.garbage)
        _age(ours)
        alone = load.wrk_latency(url, f"Bearer {token}", 8, bench.plan.seconds, MANIFEST_TYPE)
        bench.progress("collecting")
        beside: list[load.Latency] = []
        collecting = threading.Event()

        def read() -> None:
            while not collecting.is_set():
                beside.append(load.wrk_latency(url, f"Bearer {token}", 8, 1, MANIFEST_TYPE))

        reader = threading.Thread(target=read)
        reader.start()
        start = time.perf_counter()
        ours.wharfd("gc")
        minutes = (time.perf_counter() - start) / 60
        collecting.set()
        reader.join()
    rate = [bench.plan.garbage / minutes]
    target = Target(least_value=PER_MINUTE)
    name = "GET, 8 conn., while collecting; peer: ours at rest;"
    bound = "what reading leaves of the core"
    medians, worst = [one.median for one in beside], [one.p99 for one in beside]
    return [
        Figure("collection", "blobs/min", "units, and the deletion of files", rate, (), target),
        Figure(f"{name} median", "ms", bound, medians, [alone.median]),
        Figure(f"{name} p99", "ms", bound, worst, [alone.p99]),
    ]


def _litter(ours: Ours, token: str, count: int) -> None:
    def push(share: int) -> None:
        with Client(ours.port, token) as client:
            for _ in range(share):
                payload = Payload(BLOB_BYTES)
                client.request(
                    "POST",
                    f"/v2/{REPOSITORY}/blobs/uploads/?digest={payload.digest}",
                    expect=201,
                    body=payload.parts(),
                    size=payload.size,
                )

    threads = [threading.Thread(target=push, args=(count // CLIENTS,)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _age(ours: Ours) -> None:
    """Lets the grace of everything be over."""
    with sqlite3.connect(ours.data / "wharfinger.db", timeout=30) as connection:
        connection.execute("UPDATE repository_blobs SET linked_at = linked_at - 10 * 86400")
        connection.execute("UPDATE blobs SET created_at = created_at - 10 * 86400")
    connection.close()
