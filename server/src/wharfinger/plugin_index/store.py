"""The folder of wheels."""

import hashlib
import threading
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from os import stat_result
from pathlib import Path
from typing import Final

from wharfinger.plugin_index.model import Wheel, parse_filename

MAX_WHEEL: Final = 64 * 1024 * 1024
"""Bytes; a larger file is not offered, for the command line would not install it."""
MAX_METADATA: Final = 1024 * 1024
MAX_FILES: Final = 1000

Stamp = tuple[int, int, int]


class WheelFolder:
    """Wheels in one folder; a file is read again when it changed. Any thread may call at once.

    The operator may add and remove files while the service runs: by renaming them into place.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._lock: Final = threading.Lock()
        self._known: dict[str, tuple[Stamp, Wheel | None]] = {}

    def wheels(self) -> Sequence[Wheel]:
        """Return the wheels that are there, by name; none where the folder is not."""
        found: dict[str, tuple[Stamp, Wheel | None]] = {}
        for path in self._files():
            with suppress(OSError):
                stamp = _stamp(path.stat())
                known = self._known.get(path.name)
                found[path.name] = known if known and known[0] == stamp else (stamp, _read(path))
        with self._lock:
            self._known = found
        return [wheel for _, wheel in found.values() if wheel is not None]

    def path(self, filename: str) -> Path:
        """Return where the file of a wheel lies; ``filename`` is one that `wheels` named."""
        return self._folder / filename

    def _files(self) -> list[Path]:
        try:
            return sorted(self._folder.glob("*.whl"))[:MAX_FILES]
        except OSError:
            return []


def _stamp(status: stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> Wheel | None:
    """Return what a file is, None where it is no wheel that can be offered."""
    named = parse_filename(path.name)
    if named is None or path.is_symlink() or path.stat().st_size > MAX_WHEEL:
        return None
    try:
        content = path.read_bytes()
        metadata = _metadata(path)
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError):
        return None
    return Wheel(
        filename=path.name,
        project=named[0],
        version=named[1],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        metadata=metadata,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )


def _metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        with archive.open(names[0] if names else "METADATA") as file:
            return file.read(MAX_METADATA)
