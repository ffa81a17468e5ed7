"""Writes one process's figures in the files that prometheus_client's multi-process mode reads."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import mmap_dict, utils

from wharfinger.metrics.files import GAUGES, SIZE, allocate, drop_gauges
from wharfinger.metrics.tallies import Changes, Observed, Series


class _File(Protocol):
    """What is used of the library's files, which have no types."""

    def read_value(self, key: str) -> tuple[float, float]: ...

    def write_value(self, key: str, value: float, timestamp: float) -> None: ...

    def read_all_values(self) -> Iterable[tuple[str, float, float]]: ...


_open: Final[Callable[[str], _File]] = mmap_dict.MmapedDict
_text_of: Final[Callable[[float], str]] = utils.floatToGoString
_PREFIXES: Final = ("counter", "histogram", GAUGES)
_ENTRY_BYTES: Final = 40
"""Bytes of a series in a file besides its key, at most."""


class Writer:
    """Files of the process that stands at the place ``process``; one thread at a time.

    Raises:
        OSError: there is no room for the files.
    """

    def __init__(self, folder: Path, process: str) -> None:
        drop_gauges(folder, process)
        self._files: Final = {
            prefix: _opened(folder / f"{prefix}_{process}.db") for prefix in _PREFIXES
        }
        self._there: Final = {prefix: _keys_of(file) for prefix, file in self._files.items()}
        self._left: Final = {
            prefix: SIZE - sum(map(_room_of, keys)) for prefix, keys in self._there.items()
        }
        self._keys: Final[dict[tuple[str, Series, str], str | None]] = {}

    def write(self, changes: Changes) -> None:
        """Add the counts and set the gauges."""
        now = time.time()
        for series, amount in changes.counts.items():
            self._add("counter", series, "_total", amount)
        for series, seen in changes.observed.items():
            self._add_observed(series, seen)
        for series, value in changes.gauges.items():
            key = self._key(GAUGES, series, "")
            if key is not None:
                self._files[GAUGES].write_value(key, value, now)

    def _add_observed(self, series: Series, seen: Observed) -> None:
        bounds: Iterable[float] = (*series.metric.bounds, float("inf"))
        for bound, count in zip(bounds, seen.counts, strict=True):
            # Without the bucket that nothing fell in, sums over processes would lack it.
            self._add("histogram", series, _text_of(bound), count)
        self._add("histogram", series, "_sum", seen.total)

    def _add(self, prefix: str, series: Series, part: str, amount: float) -> None:
        key = self._key(prefix, series, part)
        if key is not None:
            file = self._files[prefix]
            file.write_value(key, file.read_value(key)[0] + amount, 0.0)

    def _key(self, prefix: str, series: Series, part: str) -> str | None:
        """Return the key of a series in its file, None where the file has no room for it."""
        known = (prefix, series, part)
        if known not in self._keys:
            key = _key(series, part)
            if key not in self._there[prefix]:
                self._left[prefix] -= _room_of(key)
            self._keys[known] = key if self._left[prefix] > 0 else None
        return self._keys[known]


def _key(series: Series, part: str) -> str:
    metric, values = series
    names = list(metric.label_names)
    if part and not part.startswith("_"):
        return str(
            mmap_dict.mmap_key(
                metric.name, f"{metric.name}_bucket", [*names, "le"], [*values, part], metric.help
            )
        )
    return str(
        mmap_dict.mmap_key(metric.name, metric.name + part, names, list(values), metric.help)
    )


def _opened(path: Path) -> _File:
    allocate(path)
    return _open(str(path))


def _keys_of(file: _File) -> set[str]:
    return {key.rstrip() for key, _, _ in file.read_all_values()}


def _room_of(key: str) -> int:
    return len(key) + _ENTRY_BYTES
