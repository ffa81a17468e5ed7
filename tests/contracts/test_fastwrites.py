"""Short writes that need no task answer, refuse and keep exactly what the ordinary route does."""

from __future__ import annotations

import json
import socket
import time
from hashlib import sha256

import httpx
import pytest

from tests.support.backends import every_backend
from tests.support.figures import Figures, scrape_until
from tests.support.server import Server, Tenant

pytestmark = every_backend

ROUTE = "/v2/{name}/blobs/uploads/{upload}"
SIZES = (0, 5, 70_000, 1 << 20)
DEADLINE = 30


class Pusher:
    """Pushes to one repository, the plain way or with a parameter that makes it ordinary."""

    def __init__(self, server: Server, tenant: Tenant, *actions: str) -> None:
        self.repository = f"{tenant.namespace}/writes"
        scope = f"repository:{self.repository}:{','.join(actions or ('pull', 'push'))}"
        self.http = httpx.Client(
            base_url=server.api,
            headers={"Authorization": f"Bearer {tenant.registry_token([scope])}"},
            timeout=60,
        )

    def open(self) -> str:
        answer = self.http.post(f"/v2/{self.repository}/blobs/uploads/").raise_for_status()
        return str(answer.headers["Location"])

    def chunk(self, session: str, body: bytes, *, plain: bool = True) -> httpx.Response:
        return self.http.patch(session, params=_ways(plain), content=body)

    def end(
        self, session: str, digest: str, body: bytes = b"", *, plain: bool = True
    ) -> httpx.Response:
        parameters = {"digest": digest} | _ways(plain)
        return self.http.put(session, params=parameters, content=body)

    def stands(self, session: str) -> str:
        return str(self.http.get(session).raise_for_status().headers["Range"])


def _ways(plain: bool) -> dict[str, str]:
    return {} if plain else {"ordinary": "yes"}


@pytest.fixture
def pusher(server: Server, tenant: Tenant) -> Pusher:
    return Pusher(server, tenant)


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def facts(answer: httpx.Response, session: str) -> tuple[object, ...]:
    changing = {"date", "x-request-id"}
    own = session.rpartition("/")[2]
    headers = {
        name: value.replace(own, "ID")
        for name, value in answer.headers.items()
        if name not in changing
    }
    body = json.loads(answer.content) if answer.content else None
    for error in (body or {}).get("errors", ()):
        error["detail"].pop("request_id")
    told = json.dumps(body).replace(own, "ID")
    return answer.status_code, headers, told if answer.content else ""


@pytest.mark.parametrize("size", SIZES)
def test_same_answers_as_the_ordinary_route(pusher: Pusher, size: int) -> None:
    found = []
    for plain in (True, False):
        content = bytes([plain]) * size
        session = pusher.open()
        grown = pusher.chunk(session, content, plain=plain)
        ended = pusher.end(grown.headers["Location"], digest_of(content), plain=plain)
        digest = digest_of(content)
        told = [facts(answer, session) for answer in (grown, ended)]
        found.append(json.dumps(told).replace(digest, "DIGEST"))
        blob = pusher.http.get(f"/v2/{pusher.repository}/blobs/{digest}")
        assert (blob.status_code, blob.content) == (200, content)
    assert found[0] == found[1]


@pytest.mark.parametrize("size", SIZES)
def test_whole_with_its_end(pusher: Pusher, size: int) -> None:
    for plain in (True, False):
        content = bytes([2 + plain]) * size
        ended = pusher.end(pusher.open(), digest_of(content), content, plain=plain)
        assert ended.status_code == 201
        assert pusher.http.get(ended.headers["Location"]).content == content


def test_same_refusals_as_the_ordinary_route(pusher: Pusher) -> None:
    unknown = f"/v2/{pusher.repository}/blobs/uploads/01890000-0000-7000-8000-000000000000"
    wrong = digest_of(b"something else")
    for refused in (
        lambda plain: (unknown, pusher.chunk(unknown, b"x", plain=plain)),
        lambda plain: (unknown, pusher.end(unknown, wrong, b"x", plain=plain)),
        lambda plain: (to := pusher.open(), pusher.end(to, wrong, b"wrong", plain=plain)),
        lambda plain: (to := pusher.open(), pusher.end(to, wrong, plain=plain)),
    ):
        plain, ordinary = (facts(answer, to) for to, answer in map(refused, (True, False)))
        assert plain == ordinary
        assert plain[0] in {400, 404}


def test_who_may_only_pull_is_refused_and_keeps_nothing(
    pusher: Pusher, server: Server, tenant: Tenant
) -> None:
    session = pusher.open()
    pusher.chunk(session, b"abc").raise_for_status()
    reader = Pusher(server, tenant, "pull")
    for plain in (True, False):
        assert reader.chunk(session, b"more", plain=plain).status_code == 401
        assert reader.end(session, digest_of(b"abc"), plain=plain).status_code == 401
    assert pusher.stands(session) == "0-2"


def test_a_refusal_is_explained_to_whom_it_concerns(pusher: Pusher, tenant: Tenant) -> None:
    refused = pusher.end(pusher.open(), digest_of(b"right"), b"wrong")
    request_id = refused.json()["errors"][0]["detail"]["request_id"]
    assert request_id == refused.headers["X-Request-Id"]
    explained = tenant.explained(request_id)
    assert explained["status"] == 400
    assert explained["method"] == "PUT"


def test_what_arrived_before_the_client_vanished_counts(pusher: Pusher, server: Server) -> None:
    session = pusher.open()
    path = session.removeprefix(server.api)
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: {server.registry}\r\nContent-Length: 1000\r\n"
        f"Authorization: {pusher.http.headers['Authorization']}\r\n\r\n"
    )
    host, port = server.registry.split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as raw:
        raw.sendall(head.encode() + b"a" * 400)
    deadline = time.monotonic() + DEADLINE
    while pusher.stands(session) != "0-399":
        assert time.monotonic() < deadline, "what arrived is lost"


def test_chunked_bodies_of_any_length(pusher: Pusher) -> None:
    for pieces in ([], [b"a"], [b"b" * 300_000] * 3, [b"c" * 400_000] * 5):
        session = pusher.open()
        content = b"".join(pieces)
        grown = pusher.http.patch(session, content=iter(pieces))
        assert grown.status_code == 202
        ended = pusher.end(grown.headers["Location"], digest_of(content))
        assert ended.status_code == 201
        assert pusher.http.get(ended.headers["Location"]).content == content


def test_requests_sent_ahead_are_answered_in_order(pusher: Pusher, server: Server) -> None:
    session = pusher.open()
    path = session.removeprefix(server.api)
    content, digest = b"ahead", digest_of(b"ahead")
    common = f"Host: {server.registry}\r\nAuthorization: {pusher.http.headers['Authorization']}\r\n"
    requests = (
        f"PATCH {path} HTTP/1.1\r\n{common}Content-Length: 5\r\n\r\nahead"
        f"GET {path} HTTP/1.1\r\n{common}\r\n"
        f"PUT {path}?digest={digest} HTTP/1.1\r\n{common}Content-Length: 0\r\n\r\n"
        f"HEAD /v2/{pusher.repository}/blobs/{digest} HTTP/1.1\r\n{common}"
        "Connection: close\r\n\r\n"
    )
    host, port = server.registry.split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as raw:
        raw.sendall(requests.encode())
        answers = b"".join(iter(lambda: raw.recv(65_536), b""))
    statuses = [line.split(b" ")[1] for line in answers.split(b"\r\n") if b"HTTP/1.1 " in line]
    assert statuses == [b"202", b"204", b"201", b"200"]
    assert pusher.http.get(f"/v2/{pusher.repository}/blobs/{digest}").content == content


def test_they_are_counted_as_the_ordinary_ones(pusher: Pusher, server: Server) -> None:
    def counted(now: Figures) -> tuple[float, float, float]:
        patched = now.total("wharfinger_http_requests_total", route=ROUTE, method="PATCH")
        ended = now.total("wharfinger_http_requests_total", route=ROUTE, method="PUT")
        received = now.total("wharfinger_http_received_bytes_total", route=ROUTE)
        return patched, ended, received

    before = counted(scrape_until(server.api, lambda _: True, "anything"))
    session = pusher.open()
    content = b"z" * 5_000
    pusher.chunk(session, content).raise_for_status()
    pusher.end(session, digest_of(content)).raise_for_status()
    expected = (before[0] + 1, before[1] + 1, before[2] + len(content))
    scrape_until(server.api, lambda now: counted(now) == expected, "both are counted")
