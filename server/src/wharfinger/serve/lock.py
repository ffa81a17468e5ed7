"""One service a data folder: a lock that ends with the last process that inherited it."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from wharfinger.serve.files import FolderUnusable

WAIT_SECONDS: Final = 10.0


class FolderInUse(RuntimeError):
    """Another service runs on this data folder."""


def lock_folder(folder: Path, wait_seconds: float = WAIT_SECONDS) -> int:
    """Return a descriptor that holds the lock of ``folder`` until every copy of it is closed.

    Waits a moment for the processes of a service that was killed to notice and end.

    Raises:
        FolderUnusable: this user cannot write the folder.
        FolderInUse: the lock is still held after ``wait_seconds``.
    """
    path = folder / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FolderUnusable(
            f"data: {path} cannot be written: {error.strerror}; run the service as the user that "
            "owns the folder and all in it, or name another one (WHARFINGER_DATA, wharfd --data)"
        ) from error
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise FolderInUse(
                    f"another service runs on {folder}; stop it, or choose another data folder"
                ) from None
            time.sleep(0.05)
        else:
            return descriptor
