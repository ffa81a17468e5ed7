"""Brings committed units of the embedded database to the disk, many with one sync."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

Told = Callable[[int, float], None]
"""Is told how many units a sync made durable, and how many seconds it took."""


class Journal:
    """The write-ahead log beside an SQLite file, where commits of ``synchronous=NORMAL`` lie.

    SQLite appends frames to the log in the order of commits, whichever process makes them, and
    reads them back only as far as each is followed by its predecessors' sums. So one sync of the
    file makes durable whatever was committed before it began. Any thread may call.

    ``rewrite`` brings all content from the log into the database file and syncs both; raises
    `OSError` or the driver's error while that fails.
    """

    def __init__(self, database: Path, rewrite: Callable[[], None], told: Told) -> None:
        self._path: Final = database.with_name(f"{database.name}-wal")
        self._rewrite: Final = rewrite
        self._told: Final = told
        self._leader: Final = threading.Lock()
        self._count: Final = threading.Lock()
        self._begun = 0
        self._done = 0
        self._units = 0
        self._file: int | None = None
        self._doubtful = False

    def sync(self) -> None:
        """Return when all that the caller saw committed is on the disk.

        Of those who come while a sync is under way, the first to get its turn syncs for all.

        Raises:
            OSError: it is not, or not surely; it may yet become durable.
        """
        with self._count:
            awaited = self._begun + 1
            self._units += 1
        with self._leader:
            if self._done < awaited:
                self._lead()

    @property
    def waiting(self) -> int:
        """How many units no sync under way covers."""
        return self._units

    def close(self) -> None:
        """Let go of the file; a later sync opens it again."""
        with self._leader:
            self._leave()

    def _lead(self) -> None:
        with self._count:
            self._begun += 1
            turn, units, self._units = self._begun, self._units, 0
        start = time.perf_counter()
        self._write()
        self._done = turn
        self._told(units, time.perf_counter() - start)

    def _write(self) -> None:
        if self._doubtful:
            # After a failed write-back the kernel holds pages for clean that are not on the disk:
            # another sync would succeed and mean nothing.
            self._rewrite()
            self._doubtful = False
        self._doubtful = True
        os.fdatasync(self._current())
        self._doubtful = False

    def _current(self) -> int:
        """Return the log as it is now: whoever closes the database last removes it.

        It is held open between syncs, so that the kernel tells of failures in between.
        """
        if self._file is not None:
            if os.path.samestat(self._path.stat(), os.fstat(self._file)):
                return self._file
            self._leave()
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._file

    def _leave(self) -> None:
        held, self._file = self._file, None
        if held is not None:
            os.close(held)
