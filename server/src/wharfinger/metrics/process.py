"""What this process uses of the machine, from Linux's /proc."""

import os
import time
from pathlib import Path
from typing import Final

from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SECONDS: Final = 5.0


class ProcessFigures:
    """A sampler; looks every five seconds, since looking costs a few system calls."""

    def __init__(self, tallies: Tallies, process: str, version: str) -> None:
        self._tallies: Final = tallies
        self._labels: Final = (process,)
        self._due = 0.0
        self._cpu = 0.0
        tallies.add(names.PROCESS_STARTS, self._labels)
        tallies.set(names.INFO, (version,), 1)

    def __call__(self) -> None:
        """Take the figures, where there is /proc and it is time."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _SECONDS
        cpu = time.process_time()
        self._tallies.add(names.PROCESS_CPU, self._labels, cpu - self._cpu)
        self._cpu = cpu
        try:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, makes no paths
        except OSError:
            return
        self._tallies.set(names.PROCESS_MEMORY, self._labels, pages * _PAGE)
        self._tallies.set(names.PROCESS_FILES, self._labels, files)
