"""Bytes that changed behind the service's back: a clear error or a cut, never wrong bytes whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from tests.faults.killer import wait_for
from tests.support.backends import NAMES, Backends
from tests.support.pushing import Repository, digest_of
from tests.support.pushing import at_once as pushed
from tests.support.races import at_once
from tests.support.s3 import BUCKET, S3Server
from tests.support.server import Operator, Server

QUIET = {"WHARFINGER_SCRUB_MIB_PER_SECOND": "0"}
BUSY = {"WHARFINGER_SCRUB_MIB_PER_SECOND": "1000", "WHARFINGER_SCRUB_INTERVAL_SECONDS": "1"}
SMALL = b"small enough to be one piece"
LARGE = os.urandom(1000) * 3000
"""More than the server reads at once."""


@dataclass(frozen=True)
class Store:
    """A running service, and a way to its stored bytes that it knows nothing of."""

    server: Server
    repository: Repository
    s3: S3Server | None

    def push(self, content: bytes) -> str:
        answer = pushed(self.repository, content)
        assert answer.status_code == 201, answer.text
        return digest_of(content)

    def location(self, digest: str) -> str:
        query = text("SELECT location FROM blobs WHERE digest = :digest")
        with self.server.database() as connection:
            return str(connection.execute(query, {"digest": digest}).scalar_one())

    def file(self, digest: str) -> Path:
        return self.server.data / "blobs" / "blobs" / self.location(digest)

    def replace(self, digest: str, content: bytes) -> None:
        """Put other bytes where the blob's are; none of them removes it."""
        if self.s3 is None:
            path = self.file(digest)
            path.write_bytes(content) if content else path.unlink()
            return
        client, key = self.s3.client(), self._key(digest)
        if content:
            client.put_object(Bucket=BUCKET, Key=key, Body=content)
        else:
            client.delete_object(Bucket=BUCKET, Key=key)

    def rot(self, digest: str, content: bytes) -> None:
        """Let the bytes be others without anybody having put them there."""
        if self.s3 is None:
            before = self.file(digest).stat()
            self.replace(digest, content)
            os.utime(self.file(digest), ns=(before.st_atime_ns, before.st_mtime_ns))
            return
        self.s3.rot(self._key(digest), content)

    def fenced(self, digest: str) -> bool:
        query = text("SELECT damaged_at FROM blobs WHERE digest = :digest")
        with self.server.database() as connection:
            return connection.execute(query, {"digest": digest}).scalar_one() is not None

    def audited(self, digest: str) -> list[tuple[str, str, str, str]]:
        query = text("SELECT actor, action, detail FROM audit WHERE target = :digest")
        with self.server.database() as connection:
            rows = connection.execute(query, {"digest": digest}).all()
        told = [(row, json.loads(row.detail)) for row in rows]
        return [(row.actor, row.action, detail["check"], detail["code"]) for row, detail in told]

    def told_damaged(self, digest: str) -> bool:
        answer = self.repository.blob(digest)
        return answer.status_code == 404 and "WHF0144" in answer.text

    def heal(self, digest: str, content: bytes) -> None:
        """As a client does: it asks, is told that the blob is not there, and pushes it."""
        assert self.repository.head(digest).status_code == 404
        assert self.push(content) == digest
        assert self.repository.blob(digest).content == content
        assert not self.fenced(digest)

    def _key(self, digest: str) -> str:
        assert self.s3 is not None
        url = self.server.settings["WHARFINGER_BLOBS_URL"]
        prefix = url.partition(f"{BUCKET}/")[2].partition("?")[0]
        location = self.location(digest)
        listed = self.s3.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        (key,) = [one["Key"] for one in listed if one["Key"].endswith(location)]
        return str(key)


@pytest.fixture(scope="module", params=NAMES)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backends: Backends
) -> Iterator[Store]:
    data = tmp_path_factory.mktemp("damaged") / "data"
    s3 = request.getfixturevalue("s3") if request.param == "scaled" else None
    with ExitStack() as stack:
        settings = stack.enter_context(backends(request.param))
        server = stack.enter_context(Server(data, settings={**settings, **QUIET}))
        tenant = Operator.of(server).create_tenant("damaged")
        yield Store(server, stack.enter_context(Repository.of(server, tenant)), s3)


def changed(content: bytes) -> bytes:
    """One bit of it is another."""
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "damage",
    [changed, lambda content: content[:-1], lambda content: content + b"more", lambda _: b""],
    ids=["changed", "cut", "longer", "missing"],
)
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}], ids=["whole", "range"])
def test_a_reader_is_told_of_damage_and_a_push_heals_it(
    store: Store, damage: Callable[[bytes], bytes], headers: dict[str, str]
) -> None:
    content = f"{damage} {headers}".encode() + SMALL
    digest = store.push(content)
    store.replace(digest, damage(content))
    answer = store.repository.blob(digest, **headers)
    assert answer.status_code == 404
    error = answer.json()["errors"][0]
    assert (error["code"], error["detail"]["code"]) == ("BLOB_UNKNOWN", "WHF0144")
    assert store.told_damaged(digest)
    store.heal(digest, content)


def test_what_is_found_in_mid_transfer_cuts_it(store: Store) -> None:
    if store.s3 is None:
        # What the kernel sends from a file, nobody sees.
        return
    digest = store.push(LARGE)
    store.rot(digest, changed(LARGE))
    with pytest.raises(httpx.RemoteProtocolError):
        store.repository.blob(digest)
    assert store.told_damaged(digest)
    store.heal(digest, LARGE)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=5-9"}], ids=["whole", "range"])
def test_more_than_one_piece_of_replaced_bytes_is_read_before_any_is_sent(
    store: Store, headers: dict[str, str]
) -> None:
    content = os.urandom(10) + LARGE
    digest = store.push(content)
    store.replace(digest, changed(content))
    assert store.repository.blob(digest, **headers).status_code == 404
    assert store.told_damaged(digest)
    store.heal(digest, content)


def test_what_was_restored_without_its_seal_is_served(store: Store) -> None:
    content = os.urandom(10) + LARGE
    digest = store.push(content)
    store.replace(digest, content)
    for _ in range(2):
        part = store.repository.blob(digest, Range="bytes=5-9")
        assert (part.status_code, part.content) == (206, content[5:10])
        assert store.repository.blob(digest).content == content
    # Were what was found once remembered of the place, and not of the bytes, this would pass.
    store.replace(digest, changed(content))
    assert store.repository.blob(digest, Range="bytes=5-9").status_code == 404
    store.heal(digest, content)


def test_a_file_that_was_touched_but_not_changed_is_served(store: Store) -> None:
    if store.s3 is not None:
        return
    digest = store.push(SMALL)
    touched = store.file(digest)
    os.utime(touched, (0, 0))
    assert store.repository.blob(digest).content == SMALL
    # Once is enough: its seal is whole again.
    assert touched.stat().st_mtime_ns % 1_000_000_000 != 0
    assert not store.fenced(digest)


def test_blobs_of_a_disk_that_is_not_mounted_are_not_fenced(store: Store) -> None:
    if store.s3 is not None:
        return
    digest = store.push(b"on a disk that goes away")
    shard = store.file(digest).parent
    away = shard.with_name("away")
    shard.rename(away)
    answer = store.repository.blob(digest)
    away.rename(shard)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert store.repository.blob(digest).status_code == 200


def test_the_log_names_what_readers_found(store: Store) -> None:
    digest = store.push(b"named in the log")
    store.replace(digest, b"named in the lag")
    assert store.told_damaged(digest)
    assert any(
        "damaged" in line and digest in line for line in store.server.log_tail().splitlines()
    )


def test_the_audit_trail_tells_once_what_many_readers_found(store: Store) -> None:
    content = os.urandom(8) + LARGE
    digest = store.push(content)
    store.replace(digest, content[::-1])
    at_once(*[lambda: store.told_damaged(digest)] * 4)
    assert store.audited(digest) == [("system", "storage.fenced", "blob-digest", "WHF1203")]


def test_the_scrub_finds_what_no_reader_can_see(
    tmp_path: Path, backends: Backends, request: pytest.FixtureRequest
) -> None:
    for name in NAMES:
        s3 = request.getfixturevalue("s3") if name == "scaled" else None
        with (
            backends(name) as settings,
            Server(tmp_path / name / "data", settings={**settings, **BUSY}) as server,
        ):
            tenant = Operator.of(server).create_tenant("scrubbed")
            with Repository.of(server, tenant) as repository:
                _rots_and_heals(Store(server, repository, s3))


def _rots_and_heals(store: Store) -> None:
    digest, sound = store.push(SMALL), store.push(b"sound")
    store.rot(digest, changed(SMALL))
    wait_for(lambda: store.fenced(digest), "the scrub comes round")
    assert store.told_damaged(digest)
    figures = f"{store.server.api}/metrics"
    fenced = 'wharfinger_blobs_damaged_total{by="scrub"} 1'
    wait_for(lambda: fenced in httpx.get(figures).text, "the figures tell of it")
    trail = [("system", "storage.fenced", "blob-digest", "WHF1203")]
    wait_for(lambda: store.audited(digest) == trail, "the audit trail tells of it")
    store.heal(digest, SMALL)
    assert store.repository.blob(sound).content == b"sound"
