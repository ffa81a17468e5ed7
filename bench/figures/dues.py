"""What counting storage and traffic costs, and how the control API lists many images."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable

from bench.client import Client
from bench.figures.pushes import pull_rate, push_rate
from bench.payload import Payload
from bench.plan import MIB, Bench
from bench.servers import MANIFEST_TYPE, Contender, Ours, image
from bench.table import Figure, Target

REPOSITORY = "bench/blobs"
LISTED = "bench/listed"
KIND = 100_000
PAGE = 1_000
FLAT = Target(most_ratio=1.5)
Rate = Callable[[Contender, str, int, int, int], float]


def measure_accounting(bench: Bench) -> list[Figure]:
    """Pushes and pulls with accounting on, beside the same without it, in turn."""
    off = {"WHARFINGER_QUOTA_ACCOUNTING": "false"}
    with (
        Ours(bench.scratch / "counted", bench.workers) as counted,
        Ours(bench.scratch / "uncounted", bench.workers, off) as uncounted,
    ):
        bench.progress("accounting on and off")
        return [
            _pair(bench, "push 100 kB, 4 clients", counted, uncounted, push_rate, KIND, 4, 0.9),
            _pair(bench, "pull 100 kB, 4 clients", counted, uncounted, pull_rate, KIND, 4, 0.95),
            _pair(bench, "pull 1 MiB, 4 clients", counted, uncounted, pull_rate, MIB, 4, 0.95),
        ]


def _pair(
    bench: Bench,
    name: str,
    counted: Ours,
    uncounted: Ours,
    rate: Rate,
    size: int,
    clients: int,
    least: float,
) -> Figure:
    with_it: list[float] = []
    without: list[float] = []
    count = bench.plan.blobs * (4 if rate is pull_rate else 1)
    tokens = {ours: ours.token([REPOSITORY]) for ours in (counted, uncounted)}
    for _ in range(bench.plan.rounds):
        for ours, values in ((counted, with_it), (uncounted, without)):
            values.append(rate(ours, tokens[ours], size, count, clients))
    title = f"{name}, counted; peer: ours with accounting off"
    return Figure(title, "blobs/s", "one more row", with_it, without, Target(least_ratio=least))


def measure_lists(bench: Bench) -> list[Figure]:
    """Seconds of the whole image list, and of its first and last page."""
    tags = bench.plan.listed_tags
    bench.progress(f"image list of {tags} tags")
    _tag_many(bench.ours, tags)
    headers = bench.ours.control_headers()
    whole, first, last = [], [], []
    for _ in range(bench.plan.rounds):
        whole.append(_seconds(bench.ours, "/api/v1/images", headers))
        first.append(_seconds(bench.ours, f"/api/v1/images?limit={PAGE}", headers))
        last.append(_last_page(bench.ours, headers))
    bound = "one range of the tags' index, and rendering"
    return [
        Figure(f"image list, {tags:,} tags, whole", "s", bound, whole, (), Target(most_value=1)),
        Figure(f"image list, first page of {PAGE:,}", "s", bound, first),
        Figure("image list, last page; peer: the first", "s", bound, last, first, FLAT),
    ]


def _tag_many(ours: Ours, tags: int) -> None:
    """Images of which each has its own manifest and tag."""
    token = ours.token([LISTED])
    config = Payload(1024)
    with Client(ours.port, token) as client:
        client.push(LISTED, config)
        for number in range(tags):
            content = image(config.digest, config.size, str(number))
            client.put_manifest(LISTED, f"v{number:06d}", content, MANIFEST_TYPE)


def _get(ours: Ours, path: str, headers: dict[str, str]) -> tuple[bytes, str]:
    asked = urllib.request.Request(f"http://127.0.0.1:{ours.port}{path}", headers=headers)
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return answer.read(), answer.headers.get("Link", "")


def _seconds(ours: Ours, path: str, headers: dict[str, str]) -> float:
    start = time.perf_counter()
    _get(ours, path, headers)
    return time.perf_counter() - start


def _last_page(ours: Ours, headers: dict[str, str]) -> float:
    path, spent = f"/api/v1/images?limit={PAGE}", 0.0
    while path:
        start = time.perf_counter()
        _, link = _get(ours, path, headers)
        spent = time.perf_counter() - start
        path = link.partition("<")[2].partition(">")[0]
    return spent
