"""Files of the data folder: private, and either whole or absent after a crash."""

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

_OWNER: Final = "run this as the user that owns the file, or give the file to that user"
_ROOM: Final = "make room on its disk"
_CURES: Final = {
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.EROFS: "mount its disk so that it can be written",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
}


class FolderUnusable(RuntimeError):
    """The data folder cannot be made, entered or written."""


def explained(error: OSError) -> str:
    """Return what happened to which file, and what helps where that is known."""
    told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    cure = _CURES.get(error.errno or 0, "")
    return f"{told}; {cure}" if cure else told


def make_data_folder(path: Path) -> None:
    """Create the data folder, readable by the owner alone.

    Raises:
        FolderUnusable: it cannot be; what to do is in the text.
    """
    try:
        make_private_folder(path)
    except OSError as error:
        raise FolderUnusable(
            f"data: the folder {path} cannot be made: {error.strerror}; "
            "name another one (WHARFINGER_DATA, wharfd --data)"
        ) from error


def make_private_folder(path: Path) -> None:
    """Create ``path`` with its parents, readable by the owner alone."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, durable, mode 0600.

    Raises:
        OSError: it could not be written; what stood there still stands.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in the folder ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
