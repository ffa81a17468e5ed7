"""All that one process counts, and its way to where it is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from wharfinger.metrics.files import folder_of
from wharfinger.metrics.model import Metric
from wharfinger.metrics.process import ProcessFigures
from wharfinger.metrics.reporter import Reporter
from wharfinger.metrics.tallies import Tallies
from wharfinger.settings import Settings


class Figures:
    """The figures of the process at one place (``http-0``, ``jobs``); made after the fork."""

    def __init__(self, settings: Settings, process: str, version: str) -> None:
        self.process: Final = process
        self.folder: Final[Path] = folder_of(settings)
        self.tallies: Final = Tallies()
        self._samplers: Final[list[Callable[[], None]]] = [
            ProcessFigures(self.tallies, process, version)
        ]
        self._reporter: Final = Reporter(self.tallies, self.folder, process, self._samplers)
        self.flush: Final = self._reporter.flush
        self.close: Final = self._reporter.close

    def watch(self, sampler: Callable[[], None]) -> None:
        """Ask ``sampler`` before each report; it must be quick."""
        self._samplers.append(sampler)

    def show(self, metric: Metric, value: Callable[[], float]) -> None:
        """Let a gauge of this process show ``value()``."""
        self.watch(lambda: self.tallies.set(metric, (self.process,), value()))

    def start(self) -> None:
        """Report from now on."""
        self._reporter.start()
