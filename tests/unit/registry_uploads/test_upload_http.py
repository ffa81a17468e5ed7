"""Upload sessions over HTTP: opened, fed, ended, cancelled, refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.unit.registry_uploads.surface import (
    ALL,
    BLOB,
    CONTENT,
    DIGEST,
    LARGE,
    UPLOADS,
    House,
    assert_created,
    code_of,
    opened,
)
from tests.unit.registry_uploads.yard import LIMIT
from wharfinger_common.digests import Digest


@pytest.mark.parametrize("path", [UPLOADS, UPLOADS.rstrip("/")])
def test_opening_a_session(client: TestClient, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == 202
    upload = answer.headers["docker-upload-uuid"]
    assert answer.headers["location"] == f"http://registry.test{UPLOADS}{upload}"
    assert answer.headers["range"] == "0-0"
    assert answer.headers["oci-chunk-min-length"] == "3"
    status = client.get(answer.headers["location"])
    assert status.status_code == 204
    assert status.headers["range"] == "0-0"
    assert status.headers["location"] == answer.headers["location"]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("content", [b"", b"{}", CONTENT, LARGE], ids=len)
def test_single_post(client: TestClient, algorithm: str, content: bytes) -> None:
    digest = Digest.of(content, algorithm)
    answer = client.post(UPLOADS, params={"digest": str(digest)}, content=content)
    assert_created(client, answer, content, digest)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("content", [b"", b"{}", CONTENT, LARGE], ids=len)
def test_post_and_put(client: TestClient, algorithm: str, content: bytes) -> None:
    digest = Digest.of(content, algorithm)
    location = opened(client, **{"digest-algorithm": algorithm})
    answer = client.put(location, params={"digest": str(digest)}, content=content)
    assert_created(client, answer, content, digest)


@pytest.mark.parametrize("content", [b"{}", CONTENT, LARGE], ids=len)
def test_streaming_patch_without_length_or_range(client: TestClient, content: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    digest = Digest.of(content)
    answer = client.patch(opened(client), content=pieces())
    assert answer.status_code == 202
    assert answer.headers["range"] == f"0-{len(content) - 1}"
    answer = client.put(answer.headers["location"], params={"digest": str(digest)})
    assert_created(client, answer, content, digest)


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=len)
@pytest.mark.parametrize("last_with_put", [False, True])
def test_chunks(client: TestClient, content: bytes, *, last_with_put: bool) -> None:
    location, size = opened(client), len(content) // 3 + 1
    chunks = [(at, content[at : at + size]) for at in range(0, len(content), size)]
    last = chunks.pop() if last_with_put else (0, b"")
    for at, chunk in chunks:
        headers = {"Content-Range": f"{at}-{at + len(chunk) - 1}"}
        answer = client.patch(location, content=chunk, headers=headers)
        assert answer.status_code == 202
        assert answer.headers["range"] == f"0-{at + len(chunk) - 1}"
        location = answer.headers["location"]
    headers = {"Content-Range": f"{last[0]}-{len(content) - 1}"} if last_with_put else {}
    digest = Digest.of(content)
    answer = client.put(location, params={"digest": str(digest)}, content=last[1], headers=headers)
    assert_created(client, answer, content, digest)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("size", [2, len(LARGE)])
@pytest.mark.parametrize("first", [0, 3, 100])
def test_a_chunk_out_of_order(client: TestClient, method: str, size: int, first: int) -> None:
    location = opened(client)
    client.patch(location, content=b"12345")
    answer = client.request(
        method,
        location,
        params={"digest": str(DIGEST)} if method == "PUT" else {},
        content=b"x" * size,
        headers={"Content-Range": f"{first}-{first + size - 1}"},
    )
    assert code_of(answer) == "416 BLOB_UPLOAD_INVALID"
    assert answer.headers["range"] == "0-4"
    status = client.get(location)
    assert (status.status_code, status.headers["range"]) == (204, "0-4")


def test_refused_uploads(client: TestClient) -> None:
    digest, location = {"digest": str(DIGEST)}, opened(client)
    bad = {"Content-Range": "bytes 0-1/2"}
    assert code_of(client.patch(location, content=b"x", headers=bad)) == "400 BLOB_UPLOAD_INVALID"
    short = {"Content-Range": "0-9"}
    assert code_of(client.patch(location, content=b"x", headers=short)) == "400 SIZE_INVALID"
    assert code_of(client.put(location, content=CONTENT)) == "400 DIGEST_INVALID"
    twice = [str(DIGEST), str(DIGEST)]
    for wrong in ("sha256:short", "md5:" + "0" * 32, "nonsense", "", twice):
        answer = client.put(location, params={"digest": wrong}, content=CONTENT)
        assert code_of(answer) == "400 DIGEST_INVALID"
        answer = client.post(UPLOADS, params={"digest": wrong}, content=CONTENT)
        assert code_of(answer) == "400 DIGEST_INVALID"
        assert code_of(client.post(UPLOADS, params={"mount": wrong})) == "400 DIGEST_INVALID"
    answer = client.post(UPLOADS, params={"digest-algorithm": "md5"})
    assert code_of(answer) == "400 DIGEST_INVALID"
    assert code_of(client.put(location, params=digest, content=b"other")) == "400 DIGEST_INVALID"
    assert code_of(client.put(location, params=digest)) == "404 BLOB_UPLOAD_UNKNOWN"
    assert code_of(client.post(UPLOADS, params=digest, content=LARGE)) == "400 DIGEST_INVALID"
    assert code_of(client.get(UPLOADS + "..%00")) in {"400 NAME_INVALID"}
    assert code_of(client.get(UPLOADS + "x" * 36)) == "404 BLOB_UPLOAD_UNKNOWN"
    assert code_of(client.post("/v2/Team/app/blobs/uploads/")) == "400 NAME_INVALID"
    assert client.get(BLOB).status_code == 404


def test_a_blob_beyond_the_limit(house: House, client: TestClient) -> None:
    def unannounced() -> Iterator[bytes]:
        yield from [b"x" * 1_000_000] * (LIMIT // 1_000_000 + 2)

    over = b"x" * (LIMIT + 1)
    answer = client.post(UPLOADS, params={"digest": str(DIGEST)}, content=over)
    assert code_of(answer) == "413 SIZE_INVALID"
    location = opened(client)
    assert code_of(client.patch(location, content=over)) == "413 SIZE_INVALID"
    assert code_of(client.patch(location, content=unannounced())) == "413 SIZE_INVALID"
    client.delete(location)
    assert house.yard.session_files() == []


def test_cancelling(client: TestClient) -> None:
    location = opened(client)
    assert client.delete(location).status_code == 204
    assert code_of(client.get(location)) == "404 BLOB_UPLOAD_UNKNOWN"
    assert code_of(client.delete(location)) == "404 BLOB_UPLOAD_UNKNOWN"


def test_somebody_elses_session_is_unknown(house: House, client: TestClient) -> None:
    location = opened(client)
    house.gate.subject = "somebody else"
    assert code_of(client.get(location)) == "404 BLOB_UPLOAD_UNKNOWN"
    assert code_of(client.patch(location, content=LARGE)) == "404 BLOB_UPLOAD_UNKNOWN"


def test_a_namespace_that_is_not_there(house: House, client: TestClient) -> None:
    house.gate.access["nowhere/app"] = ALL
    answer = client.post("/v2/nowhere/app/blobs/uploads/")
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["errors"][0]["message"]


def test_methods_that_are_not_offered(client: TestClient) -> None:
    answer = client.patch(BLOB)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"DELETE", "GET", "HEAD"}
    answer = client.post(UPLOADS + "x")
    assert set(answer.headers["allow"].split(", ")) == {"DELETE", "GET", "HEAD", "PATCH", "PUT"}
