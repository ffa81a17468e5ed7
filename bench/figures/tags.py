"""How reads, lists and pushes change with the number of tags in a repository."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

from bench.client import Client
from bench.payload import Payload
from bench.plan import Bench
from bench.servers import MANIFEST_TYPE, Contender, Peer, image
from bench.table import Figure

PAGE = 100
TAGS_A_REQUEST = 100
CONFIG = Payload(1024)
MANIFEST = image(CONFIG.digest, CONFIG.size)
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
SLOW_SECONDS = 10.0
BOUNDS = {
    "manifest GET": "one statement by the tags' index",
    "tag list n=100": "one range of the tags' index; the peer reads and sorts the folder",
    "manifest push": "references' check, one transaction, fsync",
}


def measure(bench: Bench) -> list[Figure]:
    """Median milliseconds of a request on one connection, with few and with many tags."""
    sizes = (bench.plan.few_tags, bench.plan.many_tags)
    repositories = {size: f"bench/tags-{size}" for size in sizes}
    token = bench.ours.token(list(repositories.values()))
    marks = count()
    for size, repository in repositories.items():
        bench.progress(f"seeding {size} tags")
        _seed(bench.ours, token, repository, size)
        _seed_peer(bench.peer, token, repository, size)
    figures = []
    for name, bound in BOUNDS.items():
        for size, repository in repositories.items():
            bench.progress(f"{name} with {size} tags")

            def latency(
                contender: Contender, name: str = name, repository: str = repository
            ) -> float:
                with Client(contender.port, token) as client:
                    act = _action(client, name, repository, marks)
                    return _median_milliseconds(act, bench.plan.requests)

            ours, peer = bench.alternate(latency)
            figures.append(Figure(f"{name}, {size:,} tags", "ms", bound, ours, peer))
    return figures


def tag_names(size: int) -> Iterator[str]:
    """The tags of a repository with ``size`` of them."""
    return (f"v{number:06d}" for number in range(size))


def _seed(contender: Contender, token: str, repository: str, size: int) -> None:
    """Tags one manifest ``size`` times, many tags a request (OCI distribution 1.1, tag params)."""
    names = list(tag_names(size))
    with Client(contender.port, token) as client:
        client.push(repository, CONFIG)
        for start in range(0, size, TAGS_A_REQUEST):
            query = "&".join(f"tag={name}" for name in names[start : start + TAGS_A_REQUEST])
            client.put_manifest(repository, f"{DIGEST}?{query}", MANIFEST, MANIFEST_TYPE)


def _seed_peer(peer: Peer, token: str, repository: str, size: int) -> None:
    """The peer knows no tag parameters: its tree is written as its filesystem driver would.

    Only what reading needs, ``tags/NAME/current/link``; its index of a tag's former manifests
    is left out.
    """
    with Client(peer.port, token) as client:
        client.push(repository, CONFIG)
        client.put_manifest(repository, "v000000", MANIFEST, MANIFEST_TYPE)
    tags = peer.data / "docker/registry/v2/repositories" / repository / "_manifests/tags"
    for name in tag_names(size):
        current = tags / name / "current"
        if not current.exists():
            current.mkdir(parents=True)
            (current / "link").write_text(DIGEST)


def _action(
    client: Client, name: str, repository: str, marks: Iterator[int]
) -> Callable[[], object]:
    def push() -> None:
        mark = next(marks)
        content = image(CONFIG.digest, CONFIG.size, str(mark))
        client.put_manifest(repository, f"w{mark}", content, MANIFEST_TYPE)

    accept = f"Accept: {MANIFEST_TYPE}\r\n"
    manifest = f"/v2/{repository}/manifests/v000005"
    page = f"/v2/{repository}/tags/list?n={PAGE}"
    actions: dict[str, Callable[[], object]] = {
        "manifest GET": lambda: client.request("GET", manifest, expect=200, fields=accept),
        "tag list n=100": lambda: client.request("GET", page, expect=200),
        "manifest push": push,
    }
    return actions[name]


def _median_milliseconds(act: Callable[[], object], requests: int) -> float:
    """The median of ``requests`` calls, of fewer where they take more than `SLOW_SECONDS`."""
    spent: list[float] = []
    while len(spent) < requests and sum(spent) < SLOW_SECONDS:
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return 1000 * statistics.median(spent)
