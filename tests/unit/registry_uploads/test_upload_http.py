"""Uploads and blobs over HTTP, through the surface of all routes; only the gate is lenient."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.routing import Router
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from tests.unit.registry_uploads.yard import ACCOUNT, LIMIT, PUSHER, REGION, Yard
from wharfinger.blobstore import filesystem
from wharfinger.identity.model import Claims, TokenType
from wharfinger.regions import single
from wharfinger.registry.http import blobs as blob_routes
from wharfinger.registry.http import uploads as upload_routes
from wharfinger.settings import Settings
from wharfinger.web.authentication import (
    INSUFFICIENT_SCOPE,
    AccessDenied,
    AuthenticationRequired,
)
from wharfinger.web.context import Web
from wharfinger.web.sendfile import EXTENSION
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Challenge

CONTENT = b"a layer " * 1000
DIGEST = Digest.of(CONTENT)
LARGE = os.urandom(5 * 1024 * 1024 + 17)
UPLOADS = "/v2/team/app/blobs/uploads/"
BLOB = f"/v2/team/app/blobs/{DIGEST}"
ALL = frozenset({"pull", "push", "delete"})


class Gate:
    """Grants what it is told to; ``possible`` are repositories that another token could grant."""

    def __init__(self) -> None:
        self.access = dict.fromkeys(("team/app", "team/second", "team/third"), ALL)
        self.possible: set[str] = set()
        self.subject = PUSHER.subject

    async def authorize(self, request: HTTPConnection, repository: str, *actions: str) -> Claims:
        if not self.access.get(repository, frozenset()).issuperset(actions):
            if repository in self.possible:
                raise AuthenticationRequired(challenge=Challenge("one", INSUFFICIENT_SCOPE))
            raise AccessDenied
        claims = Claims(
            TokenType.REGISTRY, "registry", REGION, ACCOUNT, self.subject, "key", 1, 0, 10**10
        )
        return replace(claims, access=self.access)


class House:
    def __init__(self, yard: Yard, **settings: Any) -> None:
        self.yard = yard
        self.gate = Gate()
        self.threads = Threads(4)
        values = {"blob_bytes": LIMIT, "body_stall_seconds": 1.0, **settings}
        self.web = Web(
            Settings(region=REGION, **values),
            self.threads,
            Urls((), (), single(REGION)),
            yard.clock,
            draining=lambda: False,
        )
        routes = [
            *upload_routes.routes(yard.uploads, self.gate, self.web),  # type: ignore[arg-type]  # the stand-in
            *blob_routes.routes(yard.blobs, self.gate, self.web),  # type: ignore[arg-type]  # the stand-in
        ]
        self.app: ASGIApp = Surface(Router(routes), self.web)
        self.client = TestClient(self.app, "http://registry.test")


@pytest.fixture
def house(yard: Yard) -> Iterator[House]:
    house = House(yard, upload_chunk_min_bytes=3)
    yield house
    house.threads.close()


@pytest.fixture
def client(house: House) -> TestClient:
    return house.client


def opened(client: TestClient, **query: str) -> str:
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def code_of(answer: Any) -> str:
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert error["detail"]["help"]
    return f"{answer.status_code} {error['code']}"


def assert_created(client: TestClient, answer: Any, content: bytes, digest: Digest) -> None:
    assert answer.status_code == 201, answer.text
    assert answer.headers["docker-content-digest"] == str(digest)
    got = client.get(answer.headers["location"])
    assert got.status_code == 200
    assert got.content == content


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


def pushed(client: TestClient, content: bytes = CONTENT, repository: str = "team/app") -> str:
    digest = str(Digest.of(content))
    path = f"/v2/{repository}/blobs/uploads/"
    answer = client.post(path, params={"digest": digest}, content=content)
    assert answer.status_code == 201
    return f"/v2/{repository}/blobs/{digest}"


@pytest.mark.parametrize("source", ["team/second", ""])
def test_mounting(client: TestClient, source: str) -> None:
    pushed(client, repository="team/second")
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    assert_created(client, client.post(UPLOADS, params=query), CONTENT, DIGEST)


@pytest.mark.parametrize("source", ["team/third", "team/none", "Not A Name", ""])
def test_what_cannot_be_mounted_becomes_a_session(
    house: House, client: TestClient, source: str
) -> None:
    house.gate.possible = {"team/none"}
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 202
    answer = client.put(answer.headers["location"], params={"digest": str(DIGEST)}, content=CONTENT)
    assert_created(client, answer, CONTENT, DIGEST)


@pytest.mark.parametrize("source", ["team/second", ""])
def test_nothing_is_mounted_from_what_the_caller_may_not_pull(
    house: House, client: TestClient, source: str
) -> None:
    pushed(client, repository="team/second")
    house.gate.access["team/second"] = frozenset({"push"})
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    assert client.post(UPLOADS, params=query).status_code == 202
    assert client.head(BLOB).status_code == 404


@pytest.mark.parametrize("source", ["team/second", ""])
def test_a_mount_for_which_policy_would_give_the_scope_asks_for_it(
    house: House, client: TestClient, source: str
) -> None:
    pushed(client, repository="team/second")
    del house.gate.access["team/second"]
    house.gate.possible = {"team/second"}
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 401
    scope = 'scope="repository:team/app:pull,push repository:team/second:pull"'
    assert scope in answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


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


def scope_of(method: str, url: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    path, _, query = url.removeprefix("http://registry.test").partition("?")
    pairs = {"host": "registry.test", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
        "client": ("192.0.2.1", 1),
        "server": ("registry.test", 80),
        **more,
    }


async def exchange(app: ASGIApp, scope: Any, messages: AsyncIterator[Message]) -> list[Message]:
    """Return what the application sent; after ``messages`` nothing more comes."""
    sent: list[Message] = []

    async def receive() -> Message:
        async for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if "file" in message:
            # What a server that sends files would put on the wire.
            read = os.pread(message["file"].fileno(), message["count"], message["offset"])
            message = {**message, "body": read}
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def body(*pieces: bytes, then: str = "") -> AsyncIterator[Message]:
    for piece in pieces:
        yield {"type": "http.request", "body": piece, "more_body": True}
    if then:
        yield {"type": then}


@pytest.mark.parametrize("size", [2000, 3 * 1024 * 1024 + 5])
@pytest.mark.parametrize("headers", [{}, {"content-range": f"0-{len(LARGE) - 1}"}])
def test_a_client_that_vanishes_resumes_where_it_was(
    house: House, client: TestClient, size: int, headers: dict[str, str]
) -> None:
    location = opened(client)
    pieces = [LARGE[at : min(size, at + 65_536)] for at in range(0, size, 65_536)]
    announced = {"content-length": str(len(LARGE)), **headers}
    scope = scope_of("PATCH", location, announced)
    sent = asyncio.run(exchange(house.app, scope, body(*pieces, then="http.disconnect")))
    assert sent[0]["status"] == 400
    assert client.get(location).headers["range"] == f"0-{size - 1}"
    rest = {"Content-Range": f"{size}-{len(LARGE) - 1}"}
    digest = Digest.of(LARGE)
    answer = client.put(
        location, params={"digest": str(digest)}, content=LARGE[size:], headers=rest
    )
    assert_created(client, answer, LARGE, digest)


@pytest.mark.parametrize("size", [2000, 3 * 1024 * 1024 + 5])
@pytest.mark.parametrize("ending", ["http.disconnect", "end", "stall"])
def test_a_put_that_breaks_off_counts_for_nothing_and_is_repeated(
    house: House, client: TestClient, size: int, ending: str
) -> None:
    async def messages() -> AsyncIterator[Message]:
        more = {"type": "http.request", "body": LARGE[:size], "more_body": ending != "end"}
        yield more
        if ending == "http.disconnect":
            yield {"type": ending}

    digest, location = Digest.of(LARGE), opened(client)
    scope = scope_of("PUT", f"{location}?digest={digest}", {"content-length": str(len(LARGE))})
    sent = asyncio.run(exchange(house.app, scope, messages()))
    assert sent[0]["status"] == (408 if ending == "stall" else 400)
    assert client.get(location).headers["range"] == "0-0"
    answer = client.put(location, params={"digest": str(digest)}, content=LARGE)
    assert_created(client, answer, LARGE, digest)


def test_a_large_post_that_breaks_off_leaves_no_session(house: House) -> None:
    scope = scope_of("POST", f"{UPLOADS}?digest={Digest.of(LARGE)}")
    messages = body(LARGE[: 2 * 1024 * 1024], then="http.disconnect")
    asyncio.run(exchange(house.app, scope, messages))
    assert house.yard.rows()["uploads"] == 0
    assert house.yard.session_files() == []


def test_a_request_that_is_cancelled_lets_the_upload_go(house: House, client: TestClient) -> None:
    location = opened(client)

    async def cancel() -> None:
        request = exchange(house.app, scope_of("PATCH", location), body(LARGE[: 3 * 1024 * 1024]))
        task = asyncio.create_task(request)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    size = int(client.get(location).headers["range"].removeprefix("0-")) + 1
    assert size in {2 * 1024 * 1024, 3 * 1024 * 1024}
    answer = client.patch(location, content=LARGE[size:])
    assert answer.status_code == 202


def test_a_full_disk_ends_the_upload_and_keeps_what_fits(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, whole = opened(client), filesystem._write_all
    calls: list[int] = []

    def fill_up(file: Any, data: Any, offset: int) -> None:
        calls.append(len(data))
        if len(calls) == 3:
            whole(file, data[:100], offset)
            raise OSError(28, "No space left on device")
        whole(file, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "_write_all", fill_up)
        pieces = [LARGE[at : at + 500_000] for at in range(0, len(LARGE), 500_000)]
        sent = asyncio.run(exchange(house.app, scope_of("PATCH", location), body(*pieces)))
        assert sent[0]["status"] == 507
    stands = sum(calls[:2])
    assert client.get(location).headers["range"] == f"0-{stands - 1}"
    assert client.patch(location, content=LARGE[stands:]).status_code == 202
    answer = client.put(location, params={"digest": str(Digest.of(LARGE))})
    assert_created(client, answer, LARGE, Digest.of(LARGE))


def test_a_slow_body_is_no_reason_to_lose_the_lease(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(yard, upload_lease_seconds=1.0)
    location = opened(house.client)
    renewed = asyncio.Event()
    progress = yard.records.progress
    loops: list[asyncio.AbstractEventLoop] = []

    def seen(*args: Any, **how: Any) -> None:
        progress(*args, **how)
        loops[0].call_soon_threadsafe(renewed.set)

    async def messages() -> AsyncIterator[Message]:
        loops.append(asyncio.get_running_loop())
        yield {"type": "http.request", "body": LARGE[: 2 * 1024 * 1024], "more_body": True}
        monkeypatch.setattr(yard.records, "progress", seen)
        await renewed.wait()
        yield {"type": "http.request", "body": b"end", "more_body": False}

    sent = asyncio.run(exchange(house.app, scope_of("PATCH", location), messages()))
    assert sent[0]["status"] == 202
    house.threads.close()


async def nothing() -> AsyncIterator[Message]:
    yield {"type": "http.request", "body": b"", "more_body": False}


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
