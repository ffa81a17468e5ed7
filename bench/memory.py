"""Proportional set size (PSS) of a registry's processes, from ``/proc``."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 0.1
LOOK_SECONDS = 2.0
SETTLE_SECONDS = 30.0
_SESSION_FIELD = 3  # of /proc/PID/stat after the command's closing bracket


def session_pids(leader: int) -> list[int]:
    """Every process of the session that ``leader`` leads, oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[_SESSION_FIELD]) == leader:
                found.append(int(stat.parent.name))
    return sorted(found)


def pss(pid: int) -> int:
    """PSS of one process in bytes; 0 where it has ended."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024
    return 0


def by_process(leader: int) -> list[tuple[int, float]]:
    """(pid, PSS in MiB) of every process of the session."""
    return [(pid, pss(pid) / MEBIBYTE) for pid in session_pids(leader)]


def total(leader: int) -> float:
    """PSS of the whole session in MiB."""
    return sum(size for _, size in by_process(leader))


def settled(leader: int) -> float:
    """PSS of the whole session in MiB once it grows no more: loading goes on after readiness."""
    before, now, end = -1.0, total(leader), time.monotonic() + SETTLE_SECONDS
    while now - before > 1 and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        before, now = now, total(leader)
    return now


class Peak:
    """Samples the total while the ``with`` block runs; ``value`` is the greatest, in MiB."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.value = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.value = max(self.value, total(self._leader))
            if self._ended.wait(SAMPLE_SECONDS):
                return
