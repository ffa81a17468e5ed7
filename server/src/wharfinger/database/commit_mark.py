"""Whether anything was committed to the embedded database since, told without a system call.

SQLite keeps in shared memory (the file ``…-shm``) where its write-ahead log ends; each commit of
any process changes that head before it is acknowledged, and SQLite itself compares it to learn
whether what it cached still stands (https://sqlite.org/walformat.html, section 2.1, "The WAL-Index
Header"; docs/adr/0024).
"""

import mmap
import os
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ctypes import Array, c_char

HEAD_BYTES: Final = 48
"""One of the head's two copies: the one that a commit writes last."""


class CommitMark:
    """The head as it is now; two that are equal have no commit between them.

    The file stays open until the process ends: to close it would release the locks that SQLite
    holds on it for the whole process (https://sqlite.org/howtocorrupt.html, section 2.2).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Tell of the database of ``connection``, which has tables and stays open for it."""
        self._connection: Final = connection
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
        self._file: Final = os.open(f"{path}-shm", os.O_RDONLY | os.O_CLOEXEC)
        self._head: Array[c_char] | None = None

    def read(self) -> bytes:
        """Return the head; its bytes mean nothing but whether they changed."""
        if self._head is None:
            self._head = _mapped(self._file)
        return self._head.raw


def _mapped(file: int) -> "Array[c_char]":
    import ctypes  # with the first read, not at the start

    # Python's own mmap would close its copy of the descriptor when it is collected.
    c = ctypes.CDLL(None, use_errno=True)
    c.mmap.restype = ctypes.c_void_p
    c.mmap.argtypes = (
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
    )  # fmt: skip
    address = c.mmap(None, HEAD_BYTES, mmap.PROT_READ, mmap.MAP_SHARED, file, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return (ctypes.c_char * HEAD_BYTES).from_address(address)
