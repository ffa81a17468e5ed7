"""The folder in which the processes of one service share their figures.

Each process has a file a kind of metric, named for its place (``http-0``), not its id: who
succeeds a process that died goes on counting where it ended.
"""

import os
from pathlib import Path
from typing import Final

from wharfinger.settings import Settings

GAUGES: Final = "gauge_livemostrecent"
SIZE: Final = 512 * 1024
"""Bytes of a file: room for some 2,000 series, several times what there are."""


class FiguresUnusable(RuntimeError):
    """The folder of the figures cannot be used."""


def folder_of(settings: Settings) -> Path:
    """Return the folder of the files."""
    return Path(settings.metrics_folder or settings.data_path / "metrics")


def clear(settings: Settings) -> None:
    """Make the folder and drop what an earlier run left; before any process writes there.

    Raises:
        FiguresUnusable: the folder cannot be made or written.
    """
    folder = folder_of(settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in folder.glob("*.db"):
            file.unlink()
    except OSError as error:
        raise FiguresUnusable(
            f"metrics_folder: {folder} cannot be used: {error.strerror}; name a folder that the "
            "service may make and write (WHARFINGER_METRICS_FOLDER)"
        ) from error


def drop_gauges(folder: Path, process: str) -> None:
    """Forget what a process that ended showed: its counts stay, its connections do not."""
    (folder / f"{GAUGES}_{process}.db").unlink(missing_ok=True)


def allocate(path: Path) -> None:
    """Make the file at its full size, unless it is there.

    Its blocks are taken now: it is written through a memory map, where a full disk would not
    be an error but the end of the process.

    Raises:
        OSError: there is no room.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, SIZE)
    finally:
        os.close(descriptor)
