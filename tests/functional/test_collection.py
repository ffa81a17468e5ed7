"""Collection beside a serving process: by itself, on command, told beforehand."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Operator, Server, wharfd

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DEADLINE = 60.0
OLD = 10 * 86400
SETTINGS = {
    "WHARFINGER_COLLECTION_INTERVAL_SECONDS": "1",
    "WHARFINGER_ORPHAN_INTERVAL_SECONDS": "1",
    "WHARFINGER_DISCARD_DELAY_SECONDS": "0",
    "WHARFINGER_JOBS_POLL_SECONDS": "0.1",
}

UNSCRUBBED = {"WHARFINGER_SCRUB_MIB_PER_SECOND": "0"}
"""For damage that is to be found by nobody but who is asked."""


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pushing:
    """A client of one repository, and the hands of somebody with access to the data folder."""

    def __init__(self, server: Server) -> None:
        self.server = server
        operator = Operator.of(server)
        operator.add_namespace("depot")
        token = operator.registry_token(["repository:depot/app:pull,push,delete"])
        operator.close()
        self.http = httpx.Client(
            base_url=server.api, timeout=60, headers={"Authorization": f"Bearer {token}"}
        )

    def blob(self, content: bytes) -> str:
        digest = digest_of(content)
        path = "/v2/depot/app/blobs/uploads/"
        self.http.post(path, params={"digest": digest}, content=content).raise_for_status()
        return digest

    def image(self, *layers: bytes, tag: str) -> str:
        descriptors = [
            {"mediaType": "application/x-layer", "digest": self.blob(each), "size": len(each)}
            for each in layers
        ]
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptors[0],
            "layers": descriptors,
        }
        headers = {"Content-Type": MANIFEST}
        path = f"/v2/depot/app/manifests/{tag}"
        done = self.http.put(path, content=json.dumps(document).encode(), headers=headers)
        return str(done.raise_for_status().headers["Docker-Content-Digest"])

    def get(self, digest: str) -> httpx.Response:
        return self.http.get(f"/v2/depot/app/blobs/{digest}")

    def rows(self, query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.server.data / "wharfinger.db", timeout=30)) as database:
            found = database.execute(query, values).fetchall()
            database.commit()
        return found

    def file(self, digest: str) -> Path:
        ((location,),) = self.rows("SELECT location FROM blobs WHERE digest = ?", digest)
        return self.server.data / "blobs" / "blobs" / str(location)

    def age(self, digest: str) -> None:
        """Let the blob look as if it had been pushed long ago."""
        long_ago = int(time.time()) - OLD
        self.rows("UPDATE repository_blobs SET linked_at = ? WHERE digest = ?", long_ago, digest)


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE:.0f} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def pushing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushing]:
    """A server that collects only on command: its own passes come too rarely to be seen."""
    with Server(tmp_path_factory.mktemp("collect") / "data", settings=UNSCRUBBED) as server:
        yield Pushing(server)


def test_the_service_collects_by_itself(tmp_path: Path) -> None:
    with Server(tmp_path / "data", settings=SETTINGS) as server:
        pushing = Pushing(server)
        pushing.image(b"kept", tag="kept")
        lonely = pushing.blob(b"lonely")
        file = pushing.file(lonely)
        orphan = file.with_name(file.name[:-1] + ("0" if file.name[-1] != "0" else "1"))
        orphan.write_bytes(b"orphan")
        os.utime(orphan, (0, 0))
        pushing.age(lonely)
        eventually(lambda: not file.exists(), "the bytes of the unreferenced blob are gone")
        eventually(lambda: not orphan.exists(), "the bytes without a row are gone")
        assert pushing.get(lonely).status_code == 404
        assert pushing.get(digest_of(b"kept")).content == b"kept"
        kinds = {job["kind"]: job for job in server.told("jobs")}
        assert {"collect-links", "collect-blobs", "collect-bytes", "collect-orphans"} <= set(kinds)
        assert {job["state"] for job in kinds.values()} <= {"waiting", "running"}


def test_a_dry_run_tells_and_a_run_collects(pushing: Pushing) -> None:
    pushing.image(b"wanted", tag="wanted")
    unwanted = pushing.blob(b"unwanted")
    fresh = pushing.blob(b"fresh")
    pushing.age(unwanted)
    file = pushing.file(unwanted)

    told = pushing.server.told("gc", "--dry-run")

    assert {(each["thing"], each["reason"], each["name"]) for each in told} == {
        ("link", "unreferenced", unwanted),
        ("blob", "unlinked", unwanted),
    }
    assert next(each for each in told if each["thing"] == "link")["repository"] == "depot/app"
    assert pushing.get(unwanted).status_code == 200

    done = pushing.server.told("gc")

    assert (done["links"]["removed"], done["blobs"]["removed"]) == (1, 1)
    assert done["blobs"]["bytes"] == len(b"unwanted")
    assert pushing.get(unwanted).status_code == 404
    assert pushing.get(fresh).content == b"fresh"
    # Its bytes outlive it by the delay, for those who had begun to ask.
    assert file.exists()
    told = pushing.server.told("gc", "--dry-run")
    assert [(each["thing"], each["reason"]) for each in told] == [("bytes", "unlinked")]


def test_jobs_as_text(pushing: Pushing) -> None:
    settings = {**pushing.server.settings, "WHARFINGER_DATA": str(pushing.server.data)}
    done = subprocess.run(
        [wharfd(), "jobs"],
        env=os.environ | settings,
        capture_output=True,
        timeout=DEADLINE,
        text=True,
        check=True,
    )
    head, *lines = done.stdout.splitlines()
    assert head.split()[:3] == ["KIND", "SUBJECT", "STATE"]
    assert any(line.startswith("collect-links ") for line in lines)


# --- Checking ------------------------------------------------------------------------------


def checks(found: Any) -> list[tuple[str, str]]:
    return sorted((each["check"], each["remedy"]) for each in found)


def test_planted_damage_is_found_fenced_and_healed_beside_the_serving_process(
    tmp_path: Path,
) -> None:
    with Server(tmp_path / "data", settings=UNSCRUBBED) as server:
        pushing = Pushing(server)
        contents = [b"gone", b"cut short", b"changed", b"whole"]
        pushing.image(*contents, tag="app")
        gone, short, changed, whole = map(digest_of, contents)
        assert server.told("fsck", "--deep") == []

        pushing.file(gone).unlink()
        pushing.file(short).write_bytes(b"cut")
        pushing.file(changed).write_bytes(b"degnahc")
        orphan = pushing.file(whole).with_name(digest_of(b"whole")[7:] + ".0123456789ab")
        orphan.write_bytes(b"orphan")
        os.utime(orphan, (0, 0))
        pushing.rows("INSERT INTO tags SELECT repository_id, 'lost', 'sha256:0', 0 FROM tags")

        shallow = server.told("fsck", code=1)
        found = server.told("fsck", "--deep", "--repair", "--rate", "1000", code=1)

        # What was written to since it was stored is read without --deep too.
        assert checks(shallow) == [
            ("blob-digest", ""),
            ("blob-missing", ""),
            ("blob-size", ""),
            ("bytes-orphaned", ""),
            ("tag-dangling", ""),
        ]
        assert checks(found) == [
            ("blob-digest", "fenced"),
            ("blob-missing", "fenced"),
            ("blob-size", "fenced"),
            ("bytes-orphaned", "removed"),
            ("tag-dangling", "removed"),
        ]
        assert all(each["meaning"] and each["cure"] for each in found)

        # Never wrong bytes: a client is told, and pushes what it is told to lack.
        for digest in (gone, short, changed):
            answer = pushing.get(digest)
            assert answer.status_code == 404
            assert answer.json()["errors"][0]["detail"]["code"] == "WHF0144"
            assert pushing.http.head(f"/v2/depot/app/blobs/{digest}").status_code == 404
        assert pushing.get(whole).content == b"whole"
        assert {each["check"] for each in server.told("fsck", "--repair", code=1)} == {
            "blob-fenced"
        }

        for content in contents[:3]:
            pushing.blob(content)
        assert [pushing.get(digest_of(content)).content for content in contents] == contents
        assert server.told("fsck", "--deep") == []


def test_findings_as_text_say_what_to_do(pushing: Pushing) -> None:
    lost = pushing.blob(b"to be lost")
    pushing.file(lost).unlink()
    settings = {**pushing.server.settings, "WHARFINGER_DATA": str(pushing.server.data)}

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [wharfd(), "fsck", *options],
            env=os.environ | settings,
            capture_output=True,
            timeout=DEADLINE,
            text=True,
            check=False,
        )

    found = run()
    assert found.returncode == 1
    assert f"error: blob-missing: The store does not have the bytes of the blob {lost}" in (
        found.stdout
    )
    assert "(in depot/app)" in found.stdout
    assert "wharfd fsck --repair" in found.stdout
    assert found.stdout.splitlines()[-1] == "1 findings, 1 left"

    mended = run("--repair")
    assert "fenced: it counts as missing until it is pushed again" in mended.stdout
    # What was changed is in the log as well.
    assert "repaired" in mended.stderr
    assert lost in mended.stderr
    pushing.blob(b"to be lost")
    assert run().stdout.splitlines() == ["0 findings, 0 left"]
