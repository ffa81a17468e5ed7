"""A disk whose filesystem knows no hard links: exFAT, in a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import tools

SIZE = 64 * 1024 * 1024


@contextmanager
def linkless_disk(folder: Path) -> Iterator[Path]:
    """A disk mounted at ``folder``; needs root, and devices that only real machines have."""
    able = os.geteuid() == 0 and all(map(os.path.exists, ("/dev/fuse", "/dev/loop-control")))
    if not able and os.environ.get("CI") != "true":
        pytest.skip("only root, with loop devices and FUSE, can mount a disk without hard links")
    image = folder.with_name(f"{folder.name}.img")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    _run(str(tools.ensure("mkfs.exfat")), str(image))
    with ExitStack() as stack:
        device = _run("losetup", "-f", "--show", str(image))
        stack.callback(_run, "losetup", "-d", device)
        _run(str(tools.ensure("mount.exfat-fuse")), device, str(folder))
        # Lazily: a process that is about to end may still stand in it.
        stack.callback(_run, "umount", "-l", str(folder))
        yield folder


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()
