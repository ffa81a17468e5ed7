"""Files that end early, as a machine that lost power may leave them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.ledger import digest_of
from tests.faults.stage import QUICKLY, Stage, embedded

BLOB = os.urandom(300_000)
REPOSITORY = "halves/app"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    # An unneeded blob is not to be collected before its test is over.
    patient = {"WHARFINGER_COLLECTION_GRACE_SECONDS": "3600"}
    with embedded(tmp_path, **(QUICKLY | patient)) as opened:
        yield opened


@pytest.fixture
def client(stage: Stage) -> Iterator[httpx.Client]:
    tenant = stage.operator.create_tenant("halves")
    token = tenant.registry_token([f"repository:{REPOSITORY}:pull,push"])
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=stage.server.api, headers=headers, timeout=30) as made:
        yield made


def _push(client: httpx.Client) -> httpx.Response:
    query = {"digest": digest_of(BLOB)}
    return client.post(f"/v2/{REPOSITORY}/blobs/uploads/", params=query, content=BLOB)


def _files(stage: Stage, kind: str) -> list[Path]:
    found = (stage.server.data / "blobs" / kind).rglob("*")
    return [path for path in found if path.is_file()]


def test_a_blob_cut_short_is_refused_and_healed_by_a_push(
    stage: Stage, client: httpx.Client
) -> None:
    assert _push(client).status_code == 201
    (file,) = _files(stage, "blobs")
    os.truncate(file, len(BLOB) // 2)
    stage.server.kill9()
    stage.server.start()
    path = f"/v2/{REPOSITORY}/blobs/{digest_of(BLOB)}"

    cut = client.get(path)
    part = client.get(path, headers={"Range": f"bytes={len(BLOB) - 10}-"})

    for answer in (cut, part):
        assert answer.status_code in {404, 500, 502, 503}
        assert answer.json()["errors"][0]["detail"]["code"] != "WHF0001"
    assert _push(client).status_code == 201
    assert client.get(path).content == BLOB
    assert client.get(path, headers={"Range": "bytes=-10"}).content == BLOB[-10:]


def test_an_upload_cut_short_begins_anew(stage: Stage, client: httpx.Client) -> None:
    opened = client.post(f"/v2/{REPOSITORY}/blobs/uploads/")
    sent = client.patch(opened.headers["Location"], content=BLOB[:200_000])
    assert sent.status_code == 202
    stage.server.kill9()
    (file,) = _files(stage, "uploads")
    os.truncate(file, 50_000)
    stage.server.start()

    query = {"digest": digest_of(BLOB)}
    went_on = client.put(sent.headers["Location"], params=query, content=BLOB[200_000:])

    # Whatever it says, it does not pretend to have what is gone.
    assert 400 <= went_on.status_code < 500
    assert went_on.json()["errors"][0]["detail"]["cure"]
    assert client.get(f"/v2/{REPOSITORY}/blobs/{digest_of(BLOB)}").status_code == 404
    assert _push(client).status_code == 201
    assert client.get(f"/v2/{REPOSITORY}/blobs/{digest_of(BLOB)}").content == BLOB


def test_an_upload_with_more_than_was_acknowledged_goes_on(
    stage: Stage, client: httpx.Client
) -> None:
    opened = client.post(f"/v2/{REPOSITORY}/blobs/uploads/")
    sent = client.patch(opened.headers["Location"], content=BLOB[:200_000])
    stage.server.kill9()
    (file,) = _files(stage, "uploads")
    with file.open("ab") as half_written:
        half_written.write(os.urandom(12_345))
    stage.server.start()

    query = {"digest": digest_of(BLOB)}
    done = client.put(sent.headers["Location"], params=query, content=BLOB[200_000:])

    assert done.status_code == 201
    assert client.get(f"/v2/{REPOSITORY}/blobs/{digest_of(BLOB)}").content == BLOB
