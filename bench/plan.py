"""How much is measured, and the pair that it is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Contender, Ours, Peer

MIB = 1 << 20
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """Sizes of a run. Sizes are bytes, durations seconds."""

    rounds: int = 5
    seconds: float = 3.0
    small_blobs: int = 200
    large_bytes: int = 256 * MIB
    flat_bytes: int = 2048 * MIB
    starts: int = 5
    commands: int = 41
    few_tags: int = 10
    many_tags: int = 100_000
    requests: int = 100
    blobs: int = 640
    garbage: int = 5_000
    many_repositories: int = 100_000
    listed_tags: int = 10_000
    pairs: int = 480


QUICK = Plan(
    rounds=3,
    seconds=1.0,
    small_blobs=40,
    large_bytes=64 * MIB,
    flat_bytes=256 * MIB,
    starts=3,
    commands=15,
    many_tags=2_000,
    requests=20,
    blobs=128,
    garbage=1_000,
    many_repositories=5_000,
    listed_tags=1_000,
    pairs=60,
)


@dataclass(frozen=True)
class Bench:
    """Both registries, running, and a scratch folder on the disk that their data lies on."""

    plan: Plan
    ours: Ours
    peer: Peer
    scratch: Path
    workers: int
    progress: Progress

    def alternate(
        self, measure: Callable[[Contender], float], rounds: int | None = None
    ) -> tuple[list[float], list[float]]:
        """Measures ours, peer, ours, peer...; returns the values of either."""
        ours, peer = [], []
        for _ in range(rounds or self.plan.rounds):
            ours.append(measure(self.ours))
            peer.append(measure(self.peer))
        return ours, peer
