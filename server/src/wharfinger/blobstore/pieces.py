"""The bytes of open files, in pieces."""

import os
from collections.abc import Iterator
from io import FileIO

from wharfinger.blobstore.errors import told
from wharfinger.blobstore.port import CHUNK


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
