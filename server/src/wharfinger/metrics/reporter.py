"""Carries a process's figures to its files, once a second, in a thread of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wharfinger.metrics.tallies import Tallies
from wharfinger.web.log import EventLog

if TYPE_CHECKING:
    from wharfinger.metrics.writer import Writer

SECONDS: Final = 1.0
_COMPLAINT_SECONDS: Final = 60.0
_log: Final = EventLog("wharfinger.metrics")


class Reporter:
    """Asks ``samplers`` for what is as it is now, then writes all that changed.

    prometheus_client is loaded by the first report, when the process already serves. Where the
    files have no room the figures wait in memory: their number is bounded.
    """

    def __init__(
        self, tallies: Tallies, folder: Path, process: str, samplers: Sequence[Callable[[], None]]
    ) -> None:
        self._tallies: Final = tallies
        self._folder: Final = folder
        self._process: Final = process
        self._samplers: Final = samplers
        self._writer: Writer | None = None
        self._lock: Final = threading.Lock()
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._complained = float("-inf")

    def start(self) -> None:
        """Report from now on."""
        self._thread.start()

    def close(self) -> None:
        """Report a last time and end the thread."""
        self._stop.set()
        self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Report now. Any thread may call; never raises."""
        with self._lock:
            for step in (*self._samplers, self._write):
                try:
                    step()
                except Exception as error:  # figures are never worth an outage
                    self._complain(error)

    def _write(self) -> None:
        if self._writer is None:
            from wharfinger.metrics.writer import Writer

            self._writer = Writer(self._folder, self._process)
        self._writer.write(self._tallies.take())

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._complained >= _COMPLAINT_SECONDS:
            self._complained = now
            _log.error("figures not written", folder=str(self._folder), error=repr(error))

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            self.flush()
