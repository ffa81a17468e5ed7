"""The bytes of open files, in pieces."""

import os
from collections.abc import Iterator
from io import FileIO
from typing import Final

from wharfinger.blobstore.errors import told
from wharfinger.blobstore.port import CHUNK

# The kernel caches what is written at once in blocks as large, which it takes from memory that was
# never in use: dear where a hypervisor has to provide it. Short files do without, from long ones
# much is read at once later.
_SLICE: Final = 32 * 1024


def pieces(file: FileIO, offset: int, length: int) -> Iterator[bytes]:
    """Yield ``length`` bytes from ``offset`` (fewer where the file ends), `CHUNK` at a time.

    The file's position stays where it is.

    Raises:
        StoreUnavailable: they cannot be read.
    """
    end = offset + length
    while offset < end:
        with told():
            piece = os.pread(file.fileno(), min(CHUNK, end - offset), offset)
        if not piece:
            return
        offset += len(piece)
        yield piece


def write_all(file: FileIO, data: bytes | bytearray | memoryview, offset: int = 0) -> None:
    """Write ``data`` at ``offset``, however little the system takes at once; raises `OSError`."""
    rest = memoryview(data)
    step = _SLICE if len(rest) <= CHUNK else len(rest)
    while rest:
        written = os.pwrite(file.fileno(), rest[:step], offset)
        offset += written
        rest = rest[written:]
