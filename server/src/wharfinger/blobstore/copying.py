"""Copies of files: without any bytes moved where the filesystem can share them."""

import errno
import os
from io import FileIO
from typing import Final

from wharfinger.blobstore.pieces import pieces, write_all

# What a kernel or a filesystem says that has no such call, or not for these files.
_CANNOT: Final = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.EPERM})


def copy(source: FileIO, target: FileIO, size: int) -> None:
    """Copy the first ``size`` bytes of a file to an empty one.

    Raises:
        OSError: as the system says; ``target`` has some of the bytes.
    """
    done = 0
    try:
        while done < size:
            step = os.copy_file_range(
                source.fileno(), target.fileno(), size - done, offset_src=done, offset_dst=done
            )
            if step == 0:
                break
            done += step
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    for piece in pieces(source, done, size - done):
        write_all(target, piece, done)
        done += len(piece)
