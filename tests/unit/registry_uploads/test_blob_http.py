"""Blobs over HTTP: read whole, in part and from files, and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from tests.unit.registry_uploads.surface import (
    CONTENT,
    DIGEST,
    LARGE,
    House,
    code_of,
    exchange,
    nothing,
    pushed,
    scope_of,
)
from tests.unit.registry_uploads.yard import REGION
from wharfinger.web.sendfile import EXTENSION


def test_head_and_get(client: TestClient) -> None:
    blob = pushed(client)
    for answer in (client.head(blob), client.get(blob)):
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(len(CONTENT))
        assert answer.headers["docker-content-digest"] == str(DIGEST)
        assert answer.headers["etag"] == f'"{DIGEST}"'
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
    assert client.head(blob).content == b""
    for method in (client.head, client.get):
        answer = method(blob, headers={"If-None-Match": f'"{DIGEST}"'})
        assert (answer.status_code, answer.content) == (304, b"")
        assert method(blob, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=500-1499", 500, 1499),
        ("bytes=500-", 500, len(LARGE) - 1),
        ("bytes=-500", len(LARGE) - 500, len(LARGE) - 1),
        (f"bytes=1000000-{len(LARGE) * 2}", 1_000_000, len(LARGE) - 1),
    ],
)
def test_ranges(client: TestClient, asked: str, first: int, last: int) -> None:
    blob = pushed(client, LARGE)
    answer = client.get(blob, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == LARGE[first : last + 1]
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(LARGE)}"


@pytest.mark.parametrize("asked", ["bytes=500-0", "bytes=8000-", "bytes=-0"])
def test_ranges_outside(client: TestClient, asked: str) -> None:
    answer = client.get(pushed(client), headers={"Range": asked})
    assert code_of(answer) == "416 UNSUPPORTED"
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=0-1,3-4"}, {"Range": "bytes=0-1", "If-Range": '"other"'}, {"Range": "x"}],
)
def test_ranges_that_do_not_count(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get(pushed(client), headers=headers)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_deleting(client: TestClient) -> None:
    blob = pushed(client)
    assert client.delete(blob).status_code == 202
    assert client.head(blob).status_code == 404
    assert code_of(client.get(blob)) == "404 BLOB_UNKNOWN"
    assert code_of(client.delete(blob)) == "404 BLOB_UNKNOWN"


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [({}, 200, CONTENT), ({"range": "bytes=100-199"}, 206, CONTENT[100:200])],
)
def test_a_server_that_can_send_files_gets_the_file(
    house: House, client: TestClient, headers: dict[str, str], status: int, expected: bytes
) -> None:
    scope = scope_of("GET", pushed(client), headers, extensions={EXTENSION: {}})
    start, file = asyncio.run(exchange(house.app, scope, nothing()))
    assert (start["status"], file["type"]) == (status, EXTENSION)
    assert file["body"] == expected
    assert file["file"].closed


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1]])
def test_a_lost_file_is_told_before_the_answer_starts(
    house: House, client: TestClient, damage: bytes
) -> None:
    blob = pushed(client)
    path = house.yard.store.path(house.yard.blobs.find(REGION, "team/app", DIGEST).location)
    assert path is not None
    path.write_bytes(damage) if damage else path.unlink()
    scope = scope_of("GET", blob, extensions={EXTENSION: {}})
    assert asyncio.run(exchange(house.app, scope, nothing()))[0]["status"] == 404
    # From now on it counts as missing, so that it is pushed again.
    assert code_of(client.get(blob)) == "404 BLOB_UNKNOWN"
    assert client.head(blob).status_code == 404


def test_a_reader_that_leaves_ends_the_download(house: House, client: TestClient) -> None:
    blob = pushed(client, LARGE)

    async def leaving() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"", "more_body": False}
        yield {"type": "http.disconnect"}

    sent = asyncio.run(exchange(house.app, scope_of("GET", blob), leaving()))
    assert sent[0]["status"] == 200
    assert sum(len(message.get("body", b"")) for message in sent) < len(LARGE)
