"""``python -m bench``: measures both registries in turn and prints the table."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.disk import keep_apart
from bench.figures import (
    blobs,
    collect,
    commands,
    dues,
    engine,
    reads,
    resident,
    scale,
    start,
    tags,
    tokens,
)
from bench.plan import QUICK, Bench, Plan
from bench.servers import Ours, Peer, peer_version
from bench.table import Figure, render
from wharfinger.settings import Settings

GROUPS: dict[str, Callable[[Bench], list[Figure]]] = {
    "idle": resident.measure_idle,  # first: nothing was asked of either yet
    "reads": reads.measure,
    "tokens": tokens.measure,
    "blobs": blobs.measure,
    "memory": resident.measure_load,
    "tags": tags.measure,
    "start": start.measure,
    "commands": commands.measure,
    "engine": engine.measure,
    "workers": scale.measure_workers,
    "scaled": scale.measure_scaled,
    "catalogue": scale.measure_catalogue,
    "collection": collect.measure,
    "accounting": dues.measure_accounting,
    "lists": dues.measure_lists,
}


PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the groups asked for; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="a short run, for a look")
    usual = Settings().http_workers
    parser.add_argument(
        "--workers", type=int, default=usual, help="HTTP workers of ours (default: as wharfd's)"
    )
    parser.add_argument("--scratch", default="build/bench", help="folder for both registries' data")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {PAGE.name}")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.groups) - set(GROUPS))
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}; known are {', '.join(GROUPS)}")
    chosen = [name for name in GROUPS if name in (options.groups or GROUPS)]
    Path(options.scratch).mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=Path(options.scratch).resolve()))
    keep_apart(scratch)
    try:
        report = run(chosen, QUICK if options.quick else Plan(), scratch, options.workers)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(report)
    if options.write:
        PAGE.write_text(with_figures(PAGE.read_text(), report))
    return 0


def run(groups: Sequence[str], plan: Plan, scratch: Path, workers: int) -> str:
    """Starts both registries, measures, and returns the report."""
    figures: list[Figure] = []
    with Ours(scratch / "ours", workers) as ours, Peer(scratch / "peer", ours) as peer:
        bench = Bench(plan, ours, peer, scratch, workers, _progress)
        for group in groups:
            figures += GROUPS[group](bench)
    return f"{_machine(workers)}\n\n{render(figures)}"


def with_figures(page: str, report: str) -> str:
    """The page with the report between its marks, in the place of an older one."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{report}\n\n{END}{tail}"


def _machine(workers: int) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, Python {platform.python_version()}, load {load};"
        f" ours with {workers} worker(s); peer: {peer_version()}.\n"
        "Medians (least..greatest) of alternating rounds; client and both servers on one machine."
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in told.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _progress(text: str) -> None:
    print(f"- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
