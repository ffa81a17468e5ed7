"""Blobs and uploads as files: ``uploads/ID`` and ``blobs/ALGORITHM/SHARD/HEX.MARK`` in one folder.

A file has a final name of its own, which nothing else is ever given, and counts once a row names
it: that is after its bytes, its name and its folder were synced. What a crash leaves under a final
name without a row, whole or not, nobody reads and collection finds. An advisory lock on
the upload's file keeps the writers of all processes apart and ends with the process.

A file that is placed keeps its upload's name, and its lock, until the upload is discarded: that is
once the blob's row is there. Where nothing came of the row, whatever the reason, the upload goes on
in a copy of its own, as the file that has two names may be a blob's by now. Nobody writes to a file
that a row may name.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Final, Self

from wharfinger.blobstore.copying import copy
from wharfinger.blobstore.errors import BlobMissing, UploadInUse, UploadShort, told
from wharfinger.blobstore.names import (
    SHARDS,
    is_location,
    is_upload,
    new_location,
    new_upload,
    require_location,
    require_upload,
)
from wharfinger.blobstore.pieces import pieces, write_all
from wharfinger.blobstore.port import (
    BlobReader,
    Leftover,
    Look,
    Placed,
    Standing,
    StoredObject,
    UploadWriter,
)
from wharfinger.blobstore.seals import is_sealed, keeps_seals, sealed_time
from wharfinger.blobstore.writeback import Writeback
from wharfinger.database.errors import StorageFull
from wharfinger_common.digests import Digest

_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_WRITE: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
_RESERVE: Final = 1024 * 1024  # bytes; with less room left the store says that it is full


class FilesystemStore:
    """The `BlobStore` port over a local folder (or one that all processes share)."""

    def __init__(self, root: Path, *, one_host: bool = True) -> None:
        """Keep blobs in ``root``; other hosts than this one use it too unless ``one_host``."""
        self._root: Final = root
        self._one_host: Final = one_host
        self._uploads: Final = root / "uploads"
        self._blobs: Final = root / "blobs"
        self._lasting: Final[set[Path]] = set()  # folders whose own names are known to be synced
        with told():
            for folder in (root, self._uploads, self._blobs):
                folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self._keeps_seals: Final = keeps_seals(root)

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        """Open an upload for appending; see the port."""
        del state
        path = self._uploads / require_upload(upload)
        with told():
            try:
                file, found = _locked(path, begin=offset == 0)
            except FileNotFoundError:
                raise UploadShort(0) from None
            try:
                file = _cut(file, path, found, offset)
            except BaseException:
                file.close()
                raise
        return _FileWriter(self, file, path, offset)

    def resume(self, upload: str, size: int) -> UploadWriter | None:
        """Open an upload that stands as said; see the port. Other hosts' locks are not trusted."""
        if not self._one_host:
            return None
        path = self._uploads / require_upload(upload)
        with told():
            try:
                file, found = _locked(path, begin=size == 0)
            except FileNotFoundError:
                return None
        if found.st_size != size or found.st_nlink > 1:
            file.close()
            return None
        return _FileWriter(self, file, path, size)

    def discard(self, upload: str, state: str = "") -> None:
        """Drop an upload; see the port."""
        del state
        with told():
            (self._uploads / require_upload(upload)).unlink(missing_ok=True)

    def put(self, digest: Digest, content: bytes) -> Placed:
        """Store a small blob; see the port."""
        with told():
            location, path = self._new_place(digest)
            try:
                with FileIO(_opened(path, _WRITE | os.O_EXCL), "r+b") as file:
                    write_all(file, content)
                    _seal(file, location)
                    _sync(file, path.parent)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return Placed(location)

    def open(self, location: str, first: int = 0, length: int | None = None) -> BlobReader:
        """Open a blob; see the port."""
        del first, length
        with told():
            try:
                file = FileIO(_opened(self.path(location), _READ), "rb")
                return _FileReader(file, self._look(location, os.fstat(file.fileno())))
            except FileNotFoundError:
                raise BlobMissing(location) from None

    def look(self, location: str) -> Look:
        """Return what is seen of a blob; see the port."""
        with told():
            try:
                return self._look(location, self.path(location).lstat())
            except FileNotFoundError:
                raise BlobMissing(location) from None

    def _look(self, location: str, status: os.stat_result) -> Look:
        """Return the size, and as the seal '' or when somebody wrote to the file (ns)."""
        modified = status.st_mtime_ns
        return Look(status.st_size, "" if self.sealed(location, modified) else str(modified))

    def path(self, location: str) -> Path:
        """Return the blob's file; see the port."""
        return self._blobs / require_location(location)

    def sealed(self, location: str, modified: int) -> bool:
        """Tell whether the file is as it was left; see the port."""
        return not self._keeps_seals or is_sealed(location, modified)

    def seal(self, location: str, seal: str) -> str:
        """Take note that a file is right, in its time of modification; see the port."""
        path = self.path(location)
        with told(), suppress(FileNotFoundError):
            status = path.stat(follow_symlinks=False)
            if str(status.st_mtime_ns) == seal:
                times = status.st_atime_ns, sealed_time(location, status.st_mtime_ns)
                os.utime(path, ns=times, follow_symlinks=False)
        return ""

    def url(self, location: str, seconds: int) -> None:
        """Return None: nobody but this service serves the folder."""
        del location, seconds

    def delete(self, location: str) -> None:
        """Remove a blob; see the port."""
        with told():
            self.path(location).unlink(missing_ok=True)

    def objects(self, after: str, limit: int) -> Sequence[StoredObject]:
        """Return stored blobs; see the port. Holds the names of one shard at a time."""
        with told():
            found = (stored for shard in self._shards(after) for stored in self._in(shard, after))
            return list(islice(found, limit))

    def _shards(self, after: str) -> Iterator[str]:
        """Yield the folders that may hold something behind ``after``, in order."""
        for algorithm in _folders(self._blobs):
            for shard in _folders(self._blobs / algorithm):
                folder = f"{algorithm}/{shard}/"
                if folder >= after[: len(folder)]:
                    yield folder

    def _in(self, folder: str, after: str) -> Iterator[StoredObject]:
        with suppress(FileNotFoundError), os.scandir(self._blobs / folder) as entries:
            locations = sorted(
                location
                for entry in entries
                if (location := folder + entry.name) > after and is_location(location)
            )
            for location in locations:
                with suppress(FileNotFoundError):
                    status = self.path(location).lstat()
                    size, seal = self._look(location, status)
                    yield StoredObject(location, size, status.st_mtime, seal=seal)

    def leftovers(self, before: float) -> Iterator[Leftover]:
        """Yield old uploads; see the port."""
        with told(), os.scandir(self._uploads) as entries:
            for entry in entries:
                if is_upload(entry.name) and (left := _left(entry)) and left.written < before:
                    yield left

    def check(self) -> None:
        """Return if files can be made; see the port."""
        with told():
            for folder in (self._uploads, self._blobs):
                os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            free = os.statvfs(self._uploads)
        if free.f_bavail * free.f_frsize < _RESERVE:
            raise StorageFull

    def place(self, file: FileIO, path: Path, digest: Digest) -> Placed:
        """Give the file at ``path`` its final name; return once bytes and name are on disk."""
        location, final = self._new_place(digest)
        # With the time of now: an upload may be older than what the sweep of orphans takes for
        # abandoned.
        _seal(file, location)
        # Named before it is synced: one journal commit of the filesystem then covers both. Its name
        # among the uploads stays, so that its lock keeps others away until a row names the blob.
        try:
            final.hardlink_to(path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy(file, final, location)
        else:
            _sync(file, final.parent)
        return Placed(location)

    def _copy(self, file: FileIO, final: Path, location: str) -> None:
        """Do as `place` where the filesystem has no second names."""
        try:
            with FileIO(_opened(final, _WRITE | os.O_EXCL), "r+b") as placed:
                copy(file, placed, os.fstat(file.fileno()).st_size)
                _seal(placed, location)
                _sync(placed, final.parent)
        except BaseException:
            final.unlink(missing_ok=True)
            raise

    def _new_place(self, digest: Digest) -> tuple[str, Path]:
        location = new_location(digest)
        path = self._blobs / location
        self._prepare(path.parent)
        return location, path

    def _prepare(self, shard: Path) -> None:
        """Make the folders that lead to the shard, each one's name synced in the folder above.

        All shards are made at once: one sync of the folder above serves them all.
        """
        if shard in self._lasting:
            return
        algorithm = shard.parent
        for folder in (self._root, self._blobs, algorithm):
            if folder not in self._lasting:
                folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
                _sync_folder(folder.parent)
                self._lasting.add(folder)
        shards = [algorithm / name for name in SHARDS]
        for each in shards:
            with suppress(FileExistsError):
                os.mkdir(each, _FOLDER_MODE)  # noqa: PTH102 - a Path's costs more, 256 times
        _sync_folder(algorithm)
        self._lasting.update(shards)


class _FileWriter:
    """The `UploadWriter` port over a locked file."""

    def __init__(self, store: FilesystemStore, file: FileIO, path: Path, offset: int) -> None:
        self._store: Final = store
        self._file: Final = file
        self._path: Final = path
        self._opened_at: Final = offset
        self._size = offset
        self._tail = False  # whether there may be bytes behind those that count
        self._placed = False
        self._writeback: Final = Writeback(file.fileno(), offset)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._tail, known = True, self._tail
        with told():
            write_all(self._file, data, self._size)
        self._size += len(data)
        self._tail = known
        self._writeback.grown(self._size)

    def tell(self) -> int:
        return self._size

    def standing(self) -> Standing:
        # What the system took survives this process.
        return Standing(0 if self._placed else self._size, "")

    def save(self) -> None:
        pass

    def revert(self) -> None:
        # The next writer cuts the file to what was acknowledged.
        self._tail = self._tail or self._size != self._opened_at
        self._size = self._opened_at
        self._placed = False

    def read(self) -> Iterator[bytes]:
        return pieces(self._file, 0, self._size)

    def commit(self, digest: Digest) -> Placed:
        self._placed = True
        with told():
            if self._tail:
                self._file.truncate(self._size)
            return self._store.place(self._file, self._path, digest)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _FileReader:
    """The `BlobReader` port over an open file."""

    def __init__(self, file: FileIO, look: Look) -> None:
        self._file: Final = file
        self._look: Final = look

    @property
    def size(self) -> int:
        return self._look.size

    @property
    def seal(self) -> str:
        return self._look.seal

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        return pieces(self._file, offset, min(length, self.size - offset))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(path: Path, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def _locked(path: Path, *, begin: bool) -> tuple[FileIO, os.stat_result]:
    """Return the upload's file with the writer's lock, and how it stands.

    Raises:
        FileNotFoundError: there is none, and none is to ``begin``.
    """
    flags = _WRITE if begin else _WRITE & ~os.O_CREAT
    while True:
        file = FileIO(_opened(path, flags), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(file.fileno())
            if _names(path, status):
                return file, status
        except BlockingIOError:
            file.close()
            raise UploadInUse from None
        except BaseException:
            file.close()
            raise
        # Discarded, or gone on in a copy, between opening and locking.
        file.close()


def _names(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(status, path.lstat())
    except FileNotFoundError:
        return False


def _apart(file: FileIO, path: Path, size: int) -> FileIO:
    """Return the first ``size`` bytes of an upload as a locked file that has no other name.

    It takes the upload's name in one step. If this process dies before, it is left under the
    name of an upload that nobody knows.
    """
    own = path.with_name(new_upload())
    apart = FileIO(_opened(own, _WRITE | os.O_EXCL), "r+b")
    try:
        fcntl.flock(apart, fcntl.LOCK_EX | fcntl.LOCK_NB)
        copy(file, apart, size)
        own.replace(path)
    except BaseException:
        apart.close()
        own.unlink(missing_ok=True)
        raise
    file.close()
    return apart


def _cut(file: FileIO, path: Path, found: os.stat_result, size: int) -> FileIO:
    """Return the upload's file, locked, with its first ``size`` bytes and no more.

    Raises:
        UploadShort: it has less.
    """
    if found.st_size < size:
        raise UploadShort(found.st_size)
    if found.st_nlink > 1:
        return _apart(file, path, size)
    if found.st_size > size:
        file.truncate(size)
    return file


def _seal(file: FileIO, location: str) -> None:
    now = time.time_ns()
    os.utime(file.fileno(), ns=(now, sealed_time(location, now)))


def _sync(file: FileIO, folder: Path) -> None:
    os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _left(entry: "os.DirEntry[str]") -> Leftover | None:
    """Return what is left of an upload; None if it is gone by now."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Leftover(entry.name, "", status.st_mtime, status.st_size)
