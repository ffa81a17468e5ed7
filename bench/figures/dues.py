"""What counting storage and traffic costs, and how the control API lists many images."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from typing import NamedTuple

from bench.client import Client
from bench.figures.pairs import Cost, Driver, in_pairs, typical
from bench.payload import Payload
from bench.plan import MIB, Bench
from bench.servers import MANIFEST_TYPE, Ours, image
from bench.table import Figure, Target

REPOSITORY = "bench/blobs"
LISTED = "bench/listed"
KIND = 100_000
CLIENTS = 4
PUSHES = 3
PULLS = 20
STARTS = 24
LIMIT_MEGABYTES = 1_000_000
IN_A_UNIT = "five more statements"
IN_MEMORY = "a look-up in memory, and seldom a lease"
PAGE = 1_000
FLAT = Target(most_ratio=1.5)


class Series(NamedTuple):
    """What is done in each round, and the share of it that counting may cost."""

    name: str
    act: Callable[[Driver, Payload], Cost]
    size: int
    bound: str
    most: float


SERIES = (
    Series("push 100 kB", lambda one, _: one.push(KIND, PUSHES), KIND, IN_A_UNIT, 0.1),
    Series("pull 100 kB", lambda one, payload: one.pull(payload, PULLS), KIND, IN_MEMORY, 0.05),
    Series("pull 1 MiB", lambda one, payload: one.pull(payload, PULLS), MIB, IN_MEMORY, 0.05),
)


def measure_accounting(bench: Bench) -> list[Figure]:
    """Pushes and pulls with accounting on, beside the same without it, in paired rounds."""
    off = {"WHARFINGER_QUOTA_ACCOUNTING": "false"}
    costs: list[tuple[list[Cost], list[Cost]]] = [([], []) for _ in SERIES]
    # One worker each: how the kernel spreads four connections over two would decide the rest.
    with (
        Ours(bench.scratch / "counted", 1) as counted,
        Ours(bench.scratch / "uncounted", 1, off) as uncounted,
    ):
        # Accounts without a limit cost less: they reserve nothing, and lease no traffic.
        counted.set_quotas(LIMIT_MEGABYTES)
        for number in range(STARTS):
            bench.progress(f"accounting on and off, start {number + 1} of {STARTS}")
            for ours in (counted, uncounted):
                ours.stop()
                ours.start()
            with (
                Driver(counted, CLIENTS, REPOSITORY) as on,
                Driver(uncounted, CLIENTS, REPOSITORY) as without,
            ):
                for one, (with_it, without_it) in zip(SERIES, costs, strict=True):
                    pair = _alternate(one, bench.plan.pairs // STARTS, on, without)
                    with_it.append(pair[0])
                    without_it.append(pair[1])
    return [
        figure
        for one, (with_it, without_it) in zip(SERIES, costs, strict=True)
        for figure in _figures(one.name, one.bound, with_it, without_it, one.most)
    ]


def _alternate(series: Series, pairs: int, on: Driver, without: Driver) -> tuple[Cost, Cost]:
    payload = Payload(series.size)
    for driver in (on, without):
        driver.keep(payload)
        series.act(driver, payload)
    return typical(*in_pairs(pairs, on, without, lambda one: series.act(one, payload)))


def _figures(
    name: str, bound: str, on: list[Cost], without: list[Cost], most: float
) -> list[Figure]:
    """The rate, and the processor time of a blob; ``most`` is the share that counting may cost."""
    title = f"{name}, {CLIENTS} clients, counted; peer: ours with accounting off"
    rates = [one.rate for one in on], [one.rate for one in without]
    times = [one.cpu for one in on], [one.cpu for one in without]
    slower, dearer = Target(least_ratio=1 - most), Target(most_ratio=1 + most)
    return [
        Figure(title, "blobs/s", bound, *rates, slower, paired=True),
        Figure(f"{title}; server's CPU", "us/blob", bound, *times, dearer, paired=True),
    ]


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
