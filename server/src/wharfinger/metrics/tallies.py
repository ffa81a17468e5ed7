"""Figures of one process, in memory, until they are written where all processes' are read."""

import threading
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from wharfinger.metrics.model import Metric

Labels = tuple[str, ...]


class Series(NamedTuple):
    """A metric with the values of its labels."""

    metric: Metric
    labels: Labels


class Observed:
    """What a histogram saw: how often each bucket, without the ones below, and the sum."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.total = 0.0


class Changes(NamedTuple):
    """What happened since the last time: amounts to add, and gauges to set."""

    counts: dict[Series, float]
    observed: dict[Series, Observed]
    gauges: dict[Series, float]


class Tallies:
    """Counts in plain numbers. Any thread may call; a call costs less than a microsecond."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._changes = _none()

    def add(self, metric: Metric, labels: Labels = (), amount: float = 1) -> None:
        """Count ``amount`` more."""
        series = Series(metric, labels)
        with self._lock:
            counts = self._changes.counts
            counts[series] = counts.get(series, 0) + amount

    def observe(self, metric: Metric, labels: Labels, value: float) -> None:
        """Take one value into a histogram."""
        with self._lock:
            seen = self._seen(Series(metric, labels))
            seen.counts[bisect_left(metric.bounds, value)] += 1
            seen.total += value

    def merge(self, metric: Metric, labels: Labels, counts: Sequence[int], total: float) -> None:
        """Take many values into a histogram: how many fell in each bucket, and their sum."""
        with self._lock:
            seen = self._seen(Series(metric, labels))
            seen.counts = [old + new for old, new in zip(seen.counts, counts, strict=True)]
            seen.total += total

    def set(self, metric: Metric, labels: Labels, value: float) -> None:
        """Let a gauge show ``value``."""
        with self._lock:
            self._changes.gauges[Series(metric, labels)] = value

    def take(self) -> Changes:
        """Return what happened since the last call."""
        with self._lock:
            taken, self._changes = self._changes, _none()
        return taken

    def _seen(self, series: Series) -> Observed:
        observed = self._changes.observed
        if series not in observed:
            observed[series] = Observed(len(series.metric.bounds) + 1)
        return observed[series]


def _none() -> Changes:
    return Changes({}, {}, {})
