"""Upload and blob services over a real SQLite file and a real folder, and ways to break them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from sqlalchemy import Connection, func, select

from tests.support.uploads import IDS
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.port import BlobStore, Placed, UploadWriter
from wharfinger.database.schema import metadata
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.namespaces.model import NamespaceUnknown, Owner
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import Pusher, Upload
from wharfinger.registry.service.blobs import Blobs
from wharfinger.registry.service.hashes import RunningHashes
from wharfinger.registry.service.uploads import Rules, Uploads
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.registry.tables import (
    blobs,
    discarded_bytes,
    ended_uploads,
    repositories,
    repository_blobs,
    uploads,
)
from wharfinger_common.digests import Digest

REGION = "local"
ACCOUNT = "account-1"
PUSHER = Pusher(REGION, "team/app", "user-1")
LEASE = 30.0
LIMIT = 8 * 1024 * 1024


@dataclass
class SetClock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Owners:
    """Namespaces by name; the same answers as the room of namespaces gives."""

    owners: dict[str, str] = field(default_factory=lambda: {"team": ACCOUNT, "other": "account-2"})

    def require(self, region: str, name: str) -> Owner:
        if region != REGION or name not in self.owners:
            raise NamespaceUnknown(namespace=name)
        return Owner(self.owners[name])

    def hold(self, connection: Connection, region: str, name: str) -> str | None:
        return self.owners.get(name) if region == REGION else None


class Killed(BaseException):
    """The process dies here: nothing that it would do afterwards happens."""


class Fuse:
    """Counts the steps of a commit and kills the process at one of them."""

    def __init__(self, step: int = -1) -> None:
        self.step = step
        self.steps: list[str] = []
        self.dead = False

    def pass_by(self, name: str) -> None:
        if self.dead or len(self.steps) == self.step:
            self.dead = True
            raise Killed(name)
        self.steps.append(name)


class FusedRecords(SqlUploadRecords):
    """Records that die before or after what they do."""

    def __init__(self, database: SqliteDatabase, owners: Owners, fuse: Fuse) -> None:
        super().__init__(database, owners.hold)
        self._fuse = fuse

    def progress(self, upload: Upload, now: float, until: float, *, overtake: bool = False) -> None:
        self._fuse.pass_by("before progress")
        super().progress(upload, now, until, overtake=overtake)
        self._fuse.pass_by("after progress")

    def remove(self, upload: Upload) -> bool:
        self._fuse.pass_by("before remove")
        return super().remove(upload)

    def link(
        self, pusher: Pusher, account: str, blob: Blob, now: float, end: Upload | None
    ) -> None:
        self._fuse.pass_by("before link")
        super().link(pusher, account, blob, now, end)
        self._fuse.pass_by("after link")

    def link_stored(
        self, pusher: Pusher, account: str, digest: str, now: float, end: Upload | None
    ) -> bool:
        self._fuse.pass_by("before link of a stored blob")
        linked = super().link_stored(pusher, account, digest, now, end)
        self._fuse.pass_by("after link of a stored blob")
        return linked


class FusedStore(FilesystemStore):
    """A store that dies between the steps of placing a blob."""

    def __init__(self, root: Path, fuse: Fuse) -> None:
        super().__init__(root)
        self._fuse = fuse

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        self._fuse.pass_by("before opening a writer")
        return super().writer(upload, offset, state)

    def resume(self, upload: str, size: int) -> UploadWriter | None:
        self._fuse.pass_by("before opening a writer")
        return super().resume(upload, size)

    def place(self, file: FileIO, path: Path, digest: Digest) -> Placed:
        self._fuse.pass_by("before placing")
        placed = super().place(file, path, digest)
        self._fuse.pass_by("after placing")
        return placed

    def discard(self, upload: str, state: str = "") -> None:
        self._fuse.pass_by("before discarding")
        super().discard(upload, state)


class Yard:
    """One deployment; `restart` gives the services of a new process over the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock()
        self.owners = Owners()
        self.database = SqliteDatabase(folder / "test.db")
        with self.database.writing() as connection:
            metadata.create_all(connection)
        self.restart()

    def restart(self, fuse: Fuse | None = None, hashes: int = 100) -> Uploads:
        """Return the services of a new process; ``fuse`` may kill it."""
        fuse = fuse or Fuse()
        self.store: BlobStore = FusedStore(self.folder / "blobs", fuse)
        self.records = FusedRecords(self.database, self.owners, fuse)
        self.shown = SqlBlobRecords(self.database)
        self.uploads = self.worker(self.records, hashes)
        self.blobs = Blobs(self.shown, self.store, clock=self.clock, grace=86400)
        return self.uploads

    def worker(self, records: SqlUploadRecords | None = None, hashes: int = 100) -> Uploads:
        """Return the services of one more process over the same data."""
        return Uploads(
            records or self.records,
            self.shown,
            self.store,
            self.owners,
            Rules(blob_bytes=LIMIT, lease_seconds=LEASE, expiry_seconds=3600),
            clock=self.clock,
            ids=IDS,
            hashes=RunningHashes(hashes),
        )

    def begun(self, *pieces: bytes, pusher: Pusher = PUSHER) -> Upload:
        """Return an upload that has these chunks."""
        upload = self.uploads.open(pusher)
        for piece in pieces:
            upload = self.uploads.append(pusher, upload.id, [piece], None)
        return upload

    def content(self, digest: Digest, repository: str = PUSHER.repository) -> bytes:
        """Return the bytes of a blob as a client of the repository gets them."""
        with self.blobs.open(self.blobs.find(REGION, repository, digest)) as reader:
            return b"".join(reader.read(0, reader.size))

    def rows(self) -> dict[str, int]:
        """Return how many rows the tables have."""
        tables = (uploads, blobs, repositories, repository_blobs)
        with self.database.reading() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in tables
            }

    def ended(self) -> int:
        """Return how many ended sessions are remembered."""
        with self.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(ended_uploads)) or 0

    def discarded(self) -> Sequence[str]:
        """Return the locations whose bytes are to be deleted."""
        with self.database.reading() as connection:
            return list(connection.scalars(select(discarded_bytes.c.location)))

    def session_files(self) -> Sequence[str]:
        """Return what lies in the store for upload sessions."""
        return [left.upload for left in self.store.leftovers(10.0**11)]
