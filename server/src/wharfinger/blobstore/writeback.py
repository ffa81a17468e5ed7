"""Has the system write a long file to the disk while more of it comes.

By itself it begins after half a minute, or when a good part of the memory waits to be written, and
whoever ends a long upload waits for all of it: for as long as clients wait for an answer, if the
upload is long enough.
"""

import os
import sys
from contextlib import suppress
from typing import Final

STEP: Final = 16 * 1024 * 1024
"""Bytes that are begun at a time; shorter files are left to the sync at their end."""


class Writeback:
    """Follows a file that grows from ``start`` bytes on; nothing here waits for the disk."""

    def __init__(self, descriptor: int, start: int) -> None:
        self._descriptor: Final = descriptor
        self._begun = start

    def grown(self, size: int) -> None:
        """Take note that the file has ``size`` bytes now."""
        new = size - self._begun
        if new < STEP or sys.platform != "linux":
            return
        # On Linux this begins to write what is dirty (mm/fadvise.c), and lets go only of what is
        # on the disk already: what is being written stays in memory, for who pulls it next.
        with suppress(OSError):
            os.posix_fadvise(self._descriptor, self._begun, new, os.POSIX_FADV_DONTNEED)
        self._begun = size
