"""Cold start until ready, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.plan import Bench
from bench.servers import BYTECODE, our_settings, wait_answer
from bench.table import Figure, Target
from tests.support.server import free_ports, wharfd

PASSES = 5
TIMES_PASS = Target(most_value=40)
STOP_SECONDS = 45


def measure(bench: Bench) -> list[Figure]:
    """Milliseconds from the command to readiness, on a fresh and on a warm data folder.

    The last is what a machine pays where Python may not write bytecode.
    """
    compiled = our_settings(bench.workers, bench.scratch / BYTECODE)
    uncompiled = {
        **our_settings(bench.workers, bench.scratch / "none"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return [
        *_starts(bench, "fresh data", "imports, migrations, keys", compiled, fresh=True),
        *_starts(bench, "warm data", "imports, of which SQLAlchemy half", compiled, fresh=False),
        *_starts(bench, "no bytecode", "compiling every module", uncompiled, fresh=False)[:1],
    ]


def _starts(
    bench: Bench, name: str, bound: str, environment: dict[str, str], *, fresh: bool
) -> list[Figure]:
    """The idle interpreter is timed around every start, so that both meet the same machine."""
    bench.progress(f"cold start, {name}")
    folder = bench.scratch / "starts"
    ours, peer, times = [], [], []
    for _ in range(bench.plan.starts):
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        before = _pass_milliseconds()
        ours.append(_our_start(folder, environment))
        times.append(ours[-1] / statistics.mean((before, _pass_milliseconds())))
        peer.append(_peer_start(bench))
    return [
        Figure(f"cold start, {name}", "ms", bound, ours, peer),
        Figure(f"cold start, {name}", "x pass", bound, times, (), TIMES_PASS),
    ]


def _pass_milliseconds() -> float:
    spent = []
    for _ in range(PASSES):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent)


def _our_start(data: Path, settings: dict[str, str]) -> float:
    port, trust = free_ports(2)
    environment = {
        **os.environ,
        **settings,
        "WHARFINGER_DATA": str(data),
        "WHARFINGER_PORT": str(port),
        "WHARFINGER_TRUST_PORT": str(trust),
        "WHARFINGER_DRAIN_SECONDS": "0",
    }
    return _timed(
        lambda: subprocess.Popen(
            [wharfd(), "serve"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ),
        port,
    )


def _timed(spawn: Callable[[], subprocess.Popen[bytes]], port: int) -> float:
    start = time.perf_counter()
    process = spawn()
    try:
        wait_answer(port, "/health/ready", 200, process)
        return 1000 * (time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _peer_start(bench: Bench) -> float:
    bench.peer.stop()
    start = time.perf_counter()
    bench.peer.start()
    return 1000 * (time.perf_counter() - start)
