"""The machine: clock, disk, limits, and who may read the service's files."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wharfinger.database.urls import embedded_path
from wharfinger.doctor.site import Room, Site, fine, warning, wrong
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding
from wharfinger_common.languages import Text

CLOCK, DISK, FILES, LIMITS = "clock", "disk", "files", "limits"
BEHIND_SECONDS: Final = 60
JUMP_SECONDS: Final = 2.0
LOW: Final = 0.10
FULL: Final = 0.02
OPEN_FILES: Final = 4096
_PRIVATE: Final = 0o077


def clock(site: Site) -> Iterator[Finding]:
    """Compare the clock with the times of files that the service wrote."""
    now, newest, path = site.clock(), 0.0, Path()
    for each in _written(site):
        written = each.stat().st_mtime
        if written > newest:
            newest, path = written, each
    if newest - now > BEHIND_SECONDS:
        yield wrong(CLOCK, doctor.CLOCK_BEHIND, seconds=round(newest - now), what=path)
    else:
        yield fine(CLOCK, Text("the clock is not behind what the service wrote"))


def clock_jumped(site: Site) -> Iterator[Finding]:
    """Compare how far clock and monotonic time went since the examination began."""
    began, counted = site.began
    jump = (site.clock() - began) - (site.monotonic() - counted)
    if abs(jump) > JUMP_SECONDS:
        yield warning(CLOCK, doctor.CLOCK_JUMPED, seconds=round(jump, 1))


def disk(site: Site) -> Iterator[Finding]:
    """Look at the room under the data folder and under the blobs."""
    seen = set()
    for path in (site.settings.data_path, *_blob_folder(site)):
        if path.exists() and path.stat().st_dev not in seen:
            seen.add(path.stat().st_dev)
            room = site.room(str(path))
            yield _bytes(path, room)
            yield from _inodes(path, room)


def files(site: Site) -> Iterator[Finding]:
    """Look for secrets that others than their owner can get at."""
    data = site.settings.data_path
    loose = [
        wrong(
            FILES, doctor.FILE_MODE, path=path, mode=f"{mode:04o}", wanted=f"{mode & ~_PRIVATE:04o}"
        )
        for path in _secrets(site)
        if (mode := stat.S_IMODE(path.stat().st_mode)) & _PRIVATE
    ]
    yield from loose
    if not loose and data.exists():
        yield fine(FILES, Text("only its owner can read the service's secrets"))


def limits(site: Site) -> Iterator[Finding]:
    """Look at how many files a process may open."""
    limit = site.open_files()
    if 0 <= limit < OPEN_FILES:
        yield warning(LIMITS, doctor.OPEN_FILES_LOW, limit=limit, wanted=OPEN_FILES)
    else:
        yield fine(LIMITS, Text("a process may open {limit} files", limit=limit))


def _written(site: Site) -> Iterator[Path]:
    data = site.settings.data_path
    database = embedded_path(site.settings.database)
    paths = [data / "operator.json", site.settings.master_key_path]
    if database is not None:
        paths += [database, database.with_name(f"{database.name}-wal")]
    yield from (path for path in paths if path.exists())


def _blob_folder(site: Site) -> list[Path]:
    return [] if site.settings.blobs_url.startswith("s3://") else [site.settings.blobs_path]


def _bytes(path: Path, room: Room) -> Finding:
    facts = {"path": path, "free": room.free, "total": room.total}
    if room.free < room.total * FULL:
        return wrong(DISK, doctor.DISK_FULL, **facts)
    if room.free < room.total * LOW:
        return warning(DISK, doctor.DISK_LOW, **facts)
    return fine(DISK, Text("the disk under {path} has {free} of {total} bytes left", **facts))


def _inodes(path: Path, room: Room) -> Iterator[Finding]:
    # Some filesystems make inodes as they need them, and tell no number.
    if room.inodes and room.free_inodes < room.inodes * LOW:
        report = wrong if room.free_inodes < room.inodes * FULL else warning
        yield report(DISK, doctor.INODES_LOW, path=path, free=room.free_inodes, total=room.inodes)


def _secrets(site: Site) -> Iterator[Path]:
    settings, data = site.settings, site.settings.data_path
    database = embedded_path(settings.database)
    own = [data / "operator.json", *sorted(settings.tls_path.glob("*.key"))]
    paths = [settings.master_key_path, *own]
    if database is not None:
        paths += sorted(database.parent.glob(f"{database.name}*"))
    paths += [Path(name) for name in (settings.tls_key, settings.metrics_token_file) if name]
    # A closed folder keeps others from all that is in it.
    closed = data.exists() and not stat.S_IMODE(data.stat().st_mode) & _PRIVATE
    for path in paths:
        if path.is_file() and not (closed and path.is_relative_to(data)):
            yield path
