"""Pushes into the object store by a process that dies at any step, and what collection leaves."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.databases import sqlite_database
from tests.support.depot import EXPIRY, GRACE, Depot
from tests.support.registry_manifests import REGION
from tests.support.s3 import S3Server
from tests.support.uploads import IDS
from tests.unit.registry_uploads.yard import Fuse, Killed
from wharfinger.blobstore.object_store.client import Client
from wharfinger.blobstore.object_store.store import MIB
from wharfinger.bucket import Bucket
from wharfinger.database.unit import Database
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.blobs import Blob, BlobUnknown
from wharfinger.registry.model.uploads import Pusher, Upload
from wharfinger.registry.service.hashes import RunningHashes
from wharfinger.registry.service.uploads import Rules, Uploads
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger_common.digests import Digest

LEASE = 30.0
_T = TypeVar("_T")
FAR_FUTURE = 10.0**11
PUSHER = Pusher(REGION, "tenant/app", "user")
SMALL = b"a config"
LARGE = random.Random(7).randbytes(5 * MIB + 77_777)


class MortalClient(Client):
    """Requests before or after which the process dies."""

    fuse = Fuse()

    def put(self, key: str, body: bytes | bytearray) -> str:
        return self._step("put", lambda: super(MortalClient, self).put(key, body))

    def begin(self, key: str) -> str:
        return self._step("begin", lambda: super(MortalClient, self).begin(key))

    def part(self, key: str, multipart: str, number: int, body: bytes | bytearray) -> str:
        return self._step(
            "part", lambda: super(MortalClient, self).part(key, multipart, number, body)
        )

    def complete(self, key: str, multipart: str, etags: list[str]) -> str:
        return self._step(
            "complete", lambda: super(MortalClient, self).complete(key, multipart, etags)
        )

    def abort(self, key: str, multipart: str) -> None:
        self._step("abort", lambda: super(MortalClient, self).abort(key, multipart))

    def delete(self, key: str) -> None:
        self._step("delete", lambda: super(MortalClient, self).delete(key))

    def _step(self, name: str, call: Callable[[], _T]) -> _T:
        self.fuse.pass_by(f"before {name}")
        done = call()
        self.fuse.pass_by(f"after {name}")
        return done


class MortalRecords(SqlUploadRecords):
    """Transactions before or after which the process dies."""

    def __init__(self, database: Database, fuse: Fuse) -> None:
        super().__init__(database, hold_owner)
        self._fuse = fuse

    def progress(self, upload: Upload, now: float, until: float, *, overtake: bool = False) -> None:
        self._fuse.pass_by("before progress")
        super().progress(upload, now, until, overtake=overtake)
        self._fuse.pass_by("after progress")

    def link(
        self, pusher: Pusher, account: str, blob: Blob, now: float, end: Upload | None
    ) -> None:
        self._fuse.pass_by("before link")
        super().link(pusher, account, blob, now, end)
        self._fuse.pass_by("linked")


class Harbour:
    """One deployment over SQLite and a prefix of a bucket."""

    def __init__(self, s3: S3Server, database: Database) -> None:
        self._s3 = s3
        self._prefix = f"t/{uuid.uuid4()}"
        self._database = database
        self.store = s3.store(prefix=self._prefix)
        self.depot = Depot(database, self.store)

    def process(self, fuse: Fuse) -> Uploads:
        """The services of a new process, which ``fuse`` may kill."""

        def client(bucket: Bucket, patience: object) -> Client:
            made = MortalClient(bucket, self.store.client.patience)
            made.fuse = fuse
            return made

        return Uploads(
            MortalRecords(self._database, fuse),
            SqlBlobRecords(self._database),
            self._s3.store(prefix=self._prefix, client=client),
            self.depot,
            Rules(1 << 30, LEASE, EXPIRY, GRACE / 2),
            clock=self.depot.clock,
            ids=IDS,
            hashes=RunningHashes(10),
        )

    def content(self, digest: Digest) -> bytes | None:
        try:
            blob = self.depot.reads.find(REGION, PUSHER.repository, digest)
        except BlobUnknown:
            return None
        with self.depot.reads.open(blob) as reader:
            return b"".join(reader.read(0, reader.size))

    def collect(self) -> None:
        """Let all graces pass, with all that is collected then."""
        for _ in range(3):
            self.depot.now += EXPIRY + GRACE
            while self.depot.uploads.expire():
                pass
            self.depot.collect()


@pytest.fixture
def harbour(s3: S3Server, tmp_path: Path) -> Iterator[Harbour]:
    with sqlite_database(tmp_path) as database:
        yield Harbour(s3, database)


Way = Callable[[Uploads, bytes], Blob]


def at_once(uploads: Uploads, content: bytes) -> Blob:
    return uploads.push(PUSHER, Digest.of(content), [content])


def as_docker(uploads: Uploads, content: bytes) -> Blob:
    """All of it in one PATCH, then an empty PUT."""
    upload = uploads.open(PUSHER)
    uploads.append(PUSHER, upload.id, [content], None)
    return uploads.finish(PUSHER, upload.id, Digest.of(content), [], None)


def in_chunks(uploads: Uploads, content: bytes) -> Blob:
    upload = uploads.open(PUSHER)
    third = len(content) // 3
    for start in (0, third):
        uploads.append(PUSHER, upload.id, [content[start : start + third]], None)
    rest = content[2 * third :]
    return uploads.finish(PUSHER, upload.id, Digest.of(content), [rest], None)


def in_a_stream(uploads: Uploads, content: bytes) -> Blob:
    """One PUT that is too large for memory."""
    upload = uploads.open(PUSHER)
    reception = uploads.receive(PUSHER, upload.id, None, keeps=False)
    try:
        reception.write([content])
    except BaseException:
        reception.abandon(keep=False)
        raise
    return uploads.complete(PUSHER, reception, Digest.of(content), None)


@pytest.mark.parametrize(
    ("way", "content"),
    [
        (at_once, SMALL),
        (as_docker, SMALL),
        (as_docker, LARGE),
        (in_chunks, LARGE),
        (in_a_stream, LARGE),
    ],
)
def test_dying_at_any_step_shows_nothing_partial_and_leaves_nothing_for_good(
    harbour: Harbour, way: Way, content: bytes
) -> None:
    counting = Fuse()
    way(harbour.process(counting), b"?" + content)
    linked = counting.steps.index("linked")
    for step in range(len(counting.steps)):
        one = step.to_bytes(1, "big") + content
        digest = Digest.of(one)
        with pytest.raises(Killed):
            way(harbour.process(Fuse(step)), one)
        assert harbour.content(digest) == (one if step >= linked else None), counting.steps[step]
        harbour.depot.now += LEASE
        # What was visible before the process died stays through whatever comes.
        if step % 2:
            way(harbour.process(Fuse()), one)
            assert harbour.content(digest) == one
    assert harbour.content(Digest.of(b"?" + content)) == b"?" + content
    harbour.collect()
    assert list(harbour.store.leftovers(FAR_FUTURE)) == []
    assert harbour.store.objects("", 1000) == []


def test_collection_takes_neither_what_is_visible_nor_what_is_under_way(harbour: Harbour) -> None:
    uploads = harbour.process(Fuse())
    layers = [b"{}", SMALL, LARGE]
    for content in layers:
        as_docker(uploads, content)
    harbour.depot.push_manifest(SMALL, LARGE, tag="v1")
    for _ in range(3):
        under_way = uploads.open(PUSHER)
        uploads.append(PUSHER, under_way.id, [LARGE, b"tail"], None)
        harbour.depot.now += EXPIRY - 1
        while uploads.expire():
            pass
        harbour.depot.collect()
        for content in layers:
            assert harbour.content(Digest.of(content)) == content
        stands = uploads.status(PUSHER, under_way.id)
        assert stands.size == len(LARGE) + 4
        digest = Digest.of(LARGE + b"tailmore")
        uploads.finish(PUSHER, under_way.id, digest, [b"more"], None)
        assert harbour.content(digest) == LARGE + b"tailmore"
