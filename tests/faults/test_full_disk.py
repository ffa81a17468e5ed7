"""A disk that fills up: a clear no to who writes, all of the old to who reads, then room again."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Crew
from tests.faults.killer import wait_for
from tests.faults.ledger import digest_of
from tests.faults.small_disk import SmallDisk, small_disk
from tests.faults.stage import QUICKLY, Stage, apart, embedded, reported
from tests.support.postgres import Cluster
from tests.support.s3 import S3Server

MIB = 1024 * 1024
SIZE = 24 * MIB
BLOB = 2 * MIB
SEED = 20263


@contextlib.contextmanager
def _stage(folder: Path, what: str) -> Iterator[tuple[Stage, SmallDisk]]:
    with small_disk(folder / "disk", SIZE) as disk:
        where = disk.folder if what == "everything" else folder
        blobs = {"WHARFINGER_BLOBS_URL": f"file://{disk.folder}/blobs"}
        with embedded(where, **QUICKLY, **({} if what == "everything" else blobs)) as stage:
            yield stage, disk


@pytest.mark.parametrize("what", ["everything", "blobs"])
def test_a_full_disk_is_told_and_outlived(tmp_path: Path, what: str) -> None:
    with _stage(tmp_path, what) as (stage, disk):
        crew = stage.crew(SEED, clients=3)
        with reported(f"full-disk-{what}", SEED, stage, crew) as report:
            crew.run(6)
            tenant = crew.tenant
            filler = _Filler(stage, tenant.registry_token(["repository:crew0/fill:pull,push"]))
            stored = filler.fill()
            report.add({"refusals": filler.refusals, "blobs stored before": len(stored)})
            # Health names the part, as soon as its last answer is no longer fresh.
            wait_for(lambda: _unready(stage), "health tells that the disk is full")
            # Reading goes on.
            assert all(filler.read(digest) for digest in stored)
            crew.verify()
            disk.resize(4 * SIZE)
            wait_for(lambda: filler.push(os.urandom(BLOB)) == 201, "pushes succeed again")
            wait_for(lambda: _health(stage)[0] == 200, "health is good again")
            assert all(filler.read(digest) for digest in stored)
            crew.run(20)
            stage.server.restart()
            filler.close()
            stage.require_whole()
        crew.close()


def _health(stage: Stage) -> tuple[int, str]:
    answer = httpx.get(f"{stage.server.api}/health/ready")
    return answer.status_code, answer.text


def _unready(stage: Stage) -> bool:
    status, text = _health(stage)
    return status == 503 and "WHF0011" in text


class _Filler:
    """Pushes blobs until there is no room, and remembers what it was told."""

    def __init__(self, stage: Stage, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=stage.server.api, headers=headers, timeout=60)
        self.refusals: dict[str, int] = {}

    def close(self) -> None:
        self._http.close()

    def fill(self) -> set[str]:
        """Push until ten refusals came in a row, large ones first; the digests stored."""
        stored: set[str] = set()
        size, refused = BLOB, 0
        deadline = time.monotonic() + 120
        while refused < 10 and time.monotonic() < deadline:
            blob = os.urandom(size)
            if self.push(blob) == 201:
                stored.add(digest_of(blob))
                refused = 0
            else:
                refused += 1
                size = max(size // 2, 20_000)
        assert refused == 10, "the disk never became full"
        return stored

    def push(self, blob: bytes) -> int:
        """Push one blob in the way that is its turn; its status."""
        digest = digest_of(blob)
        path = "/v2/crew0/fill/blobs/uploads/"
        if blob[0] % 2:
            answer = self._http.post(path, params={"digest": digest}, content=blob)
        else:
            answer = self._http.post(path)
            if answer.status_code == 202:
                place = answer.headers["Location"]
                answer = self._http.put(place, params={"digest": digest}, content=blob)
        if answer.status_code != 201:
            error = answer.json()["errors"][0]
            told = f"{answer.status_code} {error['detail']['code']}"
            self.refusals[told] = self.refusals.get(told, 0) + 1
            assert told in {"507 WHF0011", "503 WHF0010"}, answer.text
            assert error["detail"]["cure"]
        return answer.status_code

    def read(self, digest: str) -> bool:
        answer = self._http.get(f"/v2/crew0/fill/blobs/{digest}")
        return answer.status_code == 200 and digest_of(answer.content) == digest


def test_a_database_without_room_refuses_and_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        blobs = {"WHARFINGER_BLOBS_URL": f"file://{tmp_path}/blobs"}
        with embedded(disk.folder, **QUICKLY, **blobs) as stage:
            crew = stage.crew(SEED, clients=3)
            with reported("full-disk-database", SEED, stage, crew) as report:
                crew.run(6)
                token = crew.tenant.registry_token(["repository:crew0/fill:pull,push"])
                filler = _Filler(stage, token)
                ballast = _fill_up(disk.folder / "ballast")
                statuses = {filler.push(os.urandom(20_000)) for _ in range(200)}
                report.add({"refusals": filler.refusals})
                stage.server.kill9()
                stage.server.start()
                crew.verify()
                assert 507 in statuses
                ballast.unlink()
                _goes_on(stage, crew, filler)
            crew.close()


def test_a_postgresql_without_room_refuses_and_recovers(tmp_path: Path, s3: S3Server) -> None:
    # Not below a folder of root's: PostgreSQL does not run as root.
    folder = Path(tempfile.gettempdir()) / f"wharfinger-pg-{uuid.uuid4()}"
    with small_disk(folder, 160 * MIB) as disk, Cluster(folder) as cluster:
        cluster.make_template()
        with apart(tmp_path, s3, "", cluster, **QUICKLY) as stage:
            crew = stage.crew(SEED, clients=3)
            with reported("full-disk-postgresql", SEED, stage, crew) as report:
                crew.run(6)
                token = crew.tenant.registry_token(["repository:crew0/fill:pull,push"])
                filler = _Filler(stage, token)
                ballast = _fill_up(disk.folder / "ballast")
                deadline = time.monotonic() + 90
                while not filler.refusals.get("507 WHF0011") and time.monotonic() < deadline:
                    filler.push(os.urandom(100))
                report.add({"refusals": filler.refusals})
                assert filler.refusals.get("507 WHF0011")
                crew.verify()
                ballast.unlink()
                _goes_on(stage, crew, filler)
            crew.close()
    folder.rmdir()


def _goes_on(stage: Stage, crew: Crew, filler: _Filler) -> None:
    """Once there is room again everybody succeeds, and nothing acknowledged is missing."""
    wait_for(lambda: filler.push(os.urandom(BLOB)) == 201, "pushes succeed again")
    crew.run(20)
    stage.server.restart()
    filler.close()
    stage.require_whole()


def _fill_up(file: Path) -> Path:
    """Take all the room that is left on the disk."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as opened:
        for size in (MIB, 4096):
            with contextlib.suppress(OSError):
                while True:
                    opened.write(b"x" * size)
    return file
