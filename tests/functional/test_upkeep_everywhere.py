"""``wharfd gc`` and ``wharfd fsck`` on every backend: what they find, mend, and write down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.backends import NAMES, Backends
from tests.support.images import Dock, digest_of, encoded
from tests.support.s3 import BUCKET, S3Server
from tests.support.server import Operator, Server, Tenant

SECONDS = 120
QUIET = {
    # Whatever is found here is found by who was asked.
    "WHARFINGER_SCRUB_MIB_PER_SECOND": "0",
    "WHARFINGER_COLLECTION_INTERVAL_SECONDS": "86400",
}


class Place:
    """A running service with one tenant, and a way to what it stores."""

    def __init__(self, server: Server, tenant: Tenant, s3: S3Server | None) -> None:
        self.server = server
        self.tenant = tenant
        self.dock = Dock(server.api, tenant)
        self._s3 = s3

    def sql(self, statement: str, **values: object) -> None:
        with self.server.database() as connection:
            assert connection.execute(text(statement), values).rowcount > 0

    def location(self, content: bytes) -> str:
        query = text("SELECT location FROM blobs WHERE digest = :digest")
        with self.server.database() as connection:
            return str(connection.execute(query, {"digest": digest_of(content)}).scalar_one())

    def replace(self, content: bytes, other: bytes | None) -> None:
        """Put other bytes where a blob's are; None removes them."""
        location = self.location(content)
        if self._s3 is None:
            path = self.server.data / "blobs" / "blobs" / location
            path.unlink() if other is None else path.write_bytes(other)
            return
        prefix = self.server.settings["WHARFINGER_BLOBS_URL"].partition(f"{BUCKET}/")[2]
        client = self._s3.client()
        found = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix.partition("?")[0])["Contents"]
        (key,) = [one["Key"] for one in found if one["Key"].endswith(location)]
        if other is None:
            client.delete_object(Bucket=BUCKET, Key=key)
        else:
            client.put_object(Bucket=BUCKET, Key=key, Body=other)

    def audited(self, prefix: str) -> list[tuple[str, str]]:
        entries = self.dock.call("GET", "/audit").raise_for_status().json()["entries"]
        found = [(one["action"], one["target"]) for one in entries]
        return sorted(one for one in found if one[0].startswith(prefix))


@pytest.fixture(params=NAMES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backends: Backends
) -> Iterator[Place]:
    s3 = request.getfixturevalue("s3") if request.param == "scaled" else None
    with ExitStack() as stack:
        settings = stack.enter_context(backends(request.param))
        data = tmp_path_factory.mktemp("upkeep") / "data"
        server = stack.enter_context(Server(data, settings={**settings, **QUIET}))
        yield Place(server, Operator.of(server).create_tenant("upkept"), s3)


def checks(found: Any) -> list[tuple[str, str]]:
    return sorted((one["check"], one["remedy"]) for one in found)


def test_garbage_is_listed_and_damage_is_found_mended_and_written_down(place: Place) -> None:
    dock, repository = place.dock, f"{place.tenant.namespace}/app"
    contents = [b"gone", b"cut short", b"changed", b"whole"]
    dock.push(repository, "app", layers=contents)
    kept = dock.push(repository, "old", layers=[b"of a deleted image"])
    dock.call("DELETE", f"/images/{encoded(dock.ref(repository, 'old'))}").raise_for_status()
    dock.push_blob(repository, b"unreferenced")
    place.sql(
        "UPDATE repository_blobs SET linked_at = 1 WHERE digest = :digest",
        digest=digest_of(b"unreferenced"),
    )
    assert place.server.told("fsck", "--deep") == []

    listed = place.server.told("gc", "--dry-run")
    assert {(one["thing"], one["name"]) for one in listed} == {
        ("link", digest_of(b"unreferenced")),
        ("blob", digest_of(b"unreferenced")),
    }

    place.replace(b"gone", None)
    place.replace(b"cut short", b"cut")
    place.replace(b"changed", b"degnahc")
    place.replace(b"of a deleted image", None)
    found = place.server.told("fsck", "--deep", "--repair", "--rate", "1000", code=1)
    assert checks(found) == [
        ("blob-digest", "fenced"),
        ("blob-missing", "fenced"),
        ("blob-missing", "fenced"),
        ("blob-size", "fenced"),
        ("trash-part", ""),
    ]
    (part,) = [one for one in found if one["check"] == "trash-part"]
    assert (part["facts"]["digest"], part["code"]) == (kept.digest, "WHF1215")
    assert place.audited("storage.") == sorted(
        ("storage.fenced", digest_of(content)) for content in contents[:3]
    )
    for content in contents[:3]:
        assert dock.registry("GET", f"blobs/{digest_of(content)}", repository).status_code == 404

    for content in (*contents[:3], b"of a deleted image"):
        dock.push_blob(repository, content)
    assert place.server.told("fsck", "--deep") == []


def test_rows_that_went_wrong_are_found_mended_and_written_down(place: Place) -> None:
    dock, repository = place.dock, f"{place.tenant.namespace}/app"
    app = dock.push(repository, "app", layers=[b"linked", b"noted"]).digest
    twin = dock.push(f"{place.tenant.namespace}/twin", "app", layers=[b"linked", b"noted"]).digest
    lone = dock.push(repository, "lone", layers=[b"of its own"]).digest
    assert app == twin
    here = "repository_id = (SELECT id FROM repositories WHERE name = :name)"
    place.sql(
        f"DELETE FROM repository_blobs WHERE {here} AND digest = :digest",
        name=repository,
        digest=digest_of(b"linked"),
    )
    place.sql(
        f"DELETE FROM manifest_references WHERE {here} AND child = :digest",
        name=repository,
        digest=digest_of(b"noted"),
    )
    place.sql(
        "INSERT INTO manifest_references (repository_id, manifest, child, kind)"
        " SELECT id, 'sha256:stray', 'sha256:child', 'blob' FROM repositories WHERE name = :name",
        name=repository,
    )
    place.sql(f"UPDATE tags SET digest = 'sha256:0' WHERE {here} AND name = 'app'", name=repository)
    place.sql(
        f"UPDATE manifests SET content = :content WHERE {here} AND digest = :digest",
        name=f"{place.tenant.namespace}/twin",
        content=b"{}",
        digest=app,
    )
    place.sql("UPDATE manifests SET content = :content WHERE digest = :d", content=b"[]", d=lone)

    planted = {
        ("manifest-child", "relinked"),
        ("manifest-digest", "fenced"),
        ("manifest-digest", "restored"),
        ("references", "rewritten"),
        ("references-stray", "removed"),
        ("tag-dangling", "removed"),
    }
    assert {check for check, _ in checks(place.server.told("fsck", code=1))} == {
        check for check, _ in planted
    }
    assert set(checks(place.server.told("fsck", "--repair", code=1))) == planted
    audited = place.audited("storage.")
    assert {(action.removeprefix("storage."), target) for action, target in audited} == {
        ("relinked", app),
        ("fenced", lone),
        ("restored", app),
        ("rewritten", app),
        ("removed", "sha256:stray"),
        ("removed", "sha256:0"),
    }

    # Only what waits for a push is left; repairing again changes and writes down nothing.
    assert checks(place.server.told("fsck", "--repair", code=1)) == [("manifest-fenced", "")]
    assert place.audited("storage.") == audited
    told = dock.registry("GET", f"manifests/{lone}", repository)
    assert (told.status_code, "WHF0115" in told.text) == (404, True)
    dock.push(repository, "lone", layers=[b"of its own"])
    assert place.server.told("fsck", "--deep") == []
    for name in (repository, f"{place.tenant.namespace}/twin"):
        assert digest_of(dock.registry("GET", f"manifests/{app}", name).content) == app


def test_changed_bytes_in_the_trash_are_told(place: Place) -> None:
    dock, repository = place.dock, f"{place.tenant.namespace}/app"
    pushed = dock.push(repository, "v1")
    dock.call("DELETE", f"/images/{encoded(dock.ref(repository, 'v1'))}").raise_for_status()
    place.sql("UPDATE trash SET content = :content", content=b"{}")
    (found,) = place.server.told("fsck", code=1)
    assert (found["check"], found["facts"]["digest"]) == ("trash-manifest", pushed.digest)
