"""A disk that is soon full: a file system in memory, of a size that can be changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KIB = 1024


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: int) -> None:
        """Let the disk have ``size`` bytes."""
        _run("mount", "-o", f"remount,size={size}", str(self.folder))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """A disk of ``size`` bytes at ``folder``; needs root."""
    if os.geteuid() != 0 and os.environ.get("CI") != "true":
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "wharfinger-test", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a process that is about to end may still stand in it.
        _run("umount", "-l", str(folder))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
