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
from bench.servers import our_settings, wait_answer
from bench.table import Figure, Target
from tests.support.server import free_ports, wharfd

PASSES = 5
TIMES_PASS = Target(most_value=40)
STOP_SECONDS = 45


def measure(bench: Bench) -> list[Figure]:
    """Milliseconds from the command to readiness, on a fresh and on a warm data folder.

    The idle interpreter is timed around every start, so that both meet the same machine.
    """
    figures, folder, idles = [], bench.scratch / "starts", []
    for name, forget in (("fresh", True), ("warm", False)):
        bench.progress(f"cold start, {name} data folder")
        ours, peer, times = [], [], []
        for _ in range(bench.plan.starts):
            if forget:
                shutil.rmtree(folder, ignore_errors=True)
            before = _pass_milliseconds()
            ours.append(_our_start(folder, bench.workers))
            idles.append(statistics.mean((before, _pass_milliseconds())))
            times.append(ours[-1] / idles[-1])
            peer.append(_peer_start(bench))
        bound = "imports; fresh: migrations, keys, certificates" if forget else "imports"
        figures.append(Figure(f"cold start, {name} data", "ms", bound, ours, peer))
        figures.append(Figure(f"cold start, {name} data", "x pass", bound, times, (), TIMES_PASS))
    return [Figure("python -c pass", "ms", "interpreter start", idles), *figures]


def _pass_milliseconds() -> float:
    spent = []
    for _ in range(PASSES):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent)


def _our_start(data: Path, workers: int) -> float:
    port, trust = free_ports(2)
    environment = {
        **os.environ,
        **our_settings(workers),
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
