"""Seals: a file that shows by itself whether somebody wrote to it since it was verified.

The store puts a fraction of a second into the file's time of modification that follows from its
location. Whatever writes to the file afterwards, or puts another one in its place, changes that
time. It is in the status that is asked for anyway when a file is opened, so looking is free.

A seal says nothing of bytes that rot on the disk, nor of a writer who sets the time back
(docs/adr/0020).
"""

import os
from pathlib import Path
from typing import Final
from zlib import crc32

_SECOND: Final = 1_000_000_000
_STEP: Final = 1_000
_PROBE: Final = 123_456 * _STEP


def sealed_time(location: str, now_ns: int) -> int:
    """Return the time of modification (ns) that seals the file of ``location``, about ``now_ns``.

    Whole microseconds, which every filesystem keeps that keeps fractions at all; never a whole
    second, to which many tools round.
    """
    fraction = crc32(location.encode()) % 999_999 + 1
    return now_ns - now_ns % _SECOND + fraction * _STEP


def is_sealed(location: str, modified_ns: int) -> bool:
    """Whether a file of ``location`` that was last written at ``modified_ns`` bears its seal."""
    return sealed_time(location, modified_ns) == modified_ns


def keeps_seals(folder: Path) -> bool:
    """Whether the filesystem of ``folder`` keeps fractions of seconds."""
    modified = folder.stat().st_mtime_ns
    now = modified - modified % _SECOND + _PROBE
    try:
        os.utime(folder, ns=(now, now))
    except OSError:
        # Not ours, or read-only: then it is not by this that it is found out.
        return True
    return folder.stat().st_mtime_ns % _SECOND == _PROBE
