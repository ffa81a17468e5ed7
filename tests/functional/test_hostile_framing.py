"""Where one request ends and the next begins: nobody on the way may read it otherwise than we do.

Each shape goes to a path that the protocol answers at once, to a blob, and to an ordinary route,
over plain HTTP and over TLS.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest

from tests.support.rawhttp import Answer, converse, exchange, request
from tests.support.server import Operator, Server
from tests.support.target import EMPTY, MANIFEST, Target

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""A body that would be a request if it were read as one."""

LENGTH = f"Content-Length: {len(SMUGGLED)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ")
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
CLOSE = "Connection: close"

Send = Callable[[bytes], list[Answer]]


@pytest.fixture(scope="module")
def lasting(server: Server) -> Iterator[Target]:
    operator = Operator.of(server)
    tenant = operator.create_tenant(f"f{uuid.uuid4().hex[:12]}")
    target = Target(server, tenant)
    target.push_and_pull()
    yield target
    for client in (target.http, tenant, operator):
        client.close()


@pytest.fixture
def target(lasting: Target) -> Target:
    lasting.bearer = f"Authorization: Bearer {lasting.token()}"
    return lasting


@pytest.fixture(params=["plain", "tls"])
def send(request: pytest.FixtureRequest, server: Server) -> Send:
    if request.param == "plain":
        return lambda raw: converse(server.port, raw)
    return lambda raw: converse(server.tls_port, raw, ca=server.ca)


@pytest.fixture(params=["manifests/v1", f"blobs/sha256:{EMPTY}", "tags/list"])
def path(request: pytest.FixtureRequest, target: Target) -> str:
    return f"/v2/{target.repository}/{request.param}"


def _last(target: Target) -> bytes:
    """The request that follows, after which the connection ends."""
    return request("GET", f"/v2/{target.repository}/tags/list", target.bearer, CLOSE)


def _is_list(answer: Answer) -> bool:
    return answer.status == 200 and b'"tags"' in answer.body


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((), b""),
        (("Content-Length: 0",), b""),
        ((LENGTH,), SMUGGLED),
        ((CHUNKED,), CHUNKS),
        (("Transfer-Encoding: ChUnKeD",), CHUNKS),
        ((CHUNKED,), b'5;a=b;c="d"\r\nhello\r\n0;x\r\nX-Trailer: 1\r\n\r\n'),
        (H2C, b""),
        (WEBSOCKET, b""),
        ((*H2C, "Content-Length: 0"), b""),
        ((*H2C, LENGTH), SMUGGLED),
        ((*H2C, CHUNKED), CHUNKS),
        ((*WEBSOCKET, LENGTH), SMUGGLED),
        (("Transfer_Encoding: chunked",), b""),
        (("X-HTTP-Method-Override: DELETE",), b""),
    ],
    ids=lambda part: "+".join(part)[:60] if isinstance(part, tuple) else len(part),
)
def test_what_follows_a_request_is_the_next_one(
    target: Target, send: Send, path: str, headers: tuple[str, ...], body: bytes
) -> None:
    raw = b"".join(line.encode() + b"\r\n" for line in (target.bearer, *headers))
    first = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + raw + b"\r\n" + body

    answers = send(first + _last(target))

    assert [answer.status for answer in answers] == [200, 200]
    assert _is_list(answers[1])


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 0\r\nContent-Length: 44",
        b"Content-Length: 44\r\nContent-Length: 44",
        b"Content-Length: 44, 44",
        b"Content-Length: 4 4",
        b"Content-Length:",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding : chunked",
        b"Content-Length : 44",
        b"X-A: 1\r\n Transfer-Encoding: chunked",
        b"X-A: 1\n Content-Length: 44",
        b"X-A: 1\nContent-Length: 44",
        b"X-A: 1\rContent-Length: 44",
        b"Host: localhost",
    ],
)
def test_heads_that_can_be_read_in_two_ways_are_refused(
    target: Target, send: Send, path: str, lines: bytes
) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{target.bearer}\r\n".encode()

    answers = send(head + lines + b"\r\n\r\n" + CHUNKS + SMUGGLED)

    assert [answer.status for answer in answers] == [400]
    assert answers[0].headers["connection"] == "close"


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        (b"GET http://localhost%s HTTP/1.1", [200, 200]),
        (b"GET http://LOCALHOST%s HTTP/1.1", [200, 200]),
        (b"GET http://elsewhere.example%s HTTP/1.1", [400]),
        (b"GET http://localhost@elsewhere.example%s HTTP/1.1", [400]),
        (b"GET %s HTTP/2.0", [400]),
        (b"GET %s HTTP/1.2", [400]),
        (b"GET %s HTTP/1.0", [200]),
        (b"GET %s", [400]),
    ],
    ids=lambda part: str(part)[6:36],
)
def test_forms_of_the_request_line(
    target: Target, send: Send, path: str, line: bytes, statuses: list[int]
) -> None:
    rest = f"\r\nHost: localhost\r\n{target.bearer}\r\n\r\n".encode()

    answers = send(line % path.encode() + rest + _last(target))

    assert [answer.status for answer in answers] == statuses


@pytest.mark.parametrize(
    "headers",
    [
        ("Authorization: Bearer x", "BEARER"),
        ("BEARER", "Authorization: Bearer x"),
        ("Authorization: Basic eDp5", "BEARER"),
        ("BEARER", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"),
        ("BEARER", "Accept: application/json"),
        ("BEARER", "If-Modified-Since: Wed, 21 Oct 2999 07:28:00 GMT"),
        ("BEARER", "If-Unmodified-Since: Wed, 21 Oct 1999 07:28:00 GMT"),
        ("BEARER", "Accept-Encoding: gzip"),
        ("BEARER", "Cache-Control: no-store, only-if-cached"),
        ("BEARER", "TE: trailers", "Connection: TE"),
        ("BEARER",),
    ],
    ids=lambda headers: "+".join(headers)[:60],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("what", ["manifests/v1", f"blobs/sha256:{EMPTY}"])
def test_the_short_path_answers_as_the_ordinary_one(
    target: Target, server: Server, headers: tuple[str, ...], method: str, what: str
) -> None:
    lines = [target.bearer if line == "BEARER" else line for line in headers]

    # An empty query changes nothing, and takes the request the ordinary way.
    fast, slow = (
        _facts(
            converse(
                server.port,
                request(method, f"/v2/{target.repository}/{place}", *lines) + _last(target),
                heads=[method == "HEAD"],
            )[0]
        )
        for place in (what, f"{what}?")
    )

    assert fast == slow
    assert fast[0] == (401 if lines[0] != target.bearer else 200)


def _facts(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    changing = {"date", "x-request-id"}
    headers = {name: text for name, text in answer.headers.items() if name not in changing}
    return answer.status, headers, b"" if answer.status >= 400 else answer.body


def _pushed(target: Target, body: bytes, *headers: str) -> bytes:
    place = f"/v2/{target.repository}/manifests/sent"
    head = request("PUT", place, f"Content-Type: {MANIFEST}", CHUNKED, *headers)
    return head + b"%x\r\n%s\r\n0\r\n" % (len(body), body)


def test_what_follows_the_body_is_no_header(target: Target, send: Send) -> None:
    """Who checks headers before us has not seen it: neither who asks nor where it comes from."""
    manifest = _manifest(target)
    trailer = target.bearer.encode() + b"\r\n\r\n"

    answers = send(_pushed(target, manifest) + trailer + _last(target))

    assert [answer.status for answer in answers] == [401, 200]
    assert target.send("GET", f"/v2/{target.repository}/manifests/sent").status == 404


def _manifest(target: Target) -> bytes:
    return target.send("GET", f"/v2/{target.repository}/manifests/v1").body


@pytest.mark.parametrize("wish", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_wish_for_another_protocol_costs_no_body(
    target: Target, send: Send, wish: tuple[str, ...], framing: str
) -> None:
    manifest = _manifest(target)
    place = f"/v2/{target.repository}/manifests/sent"
    if framing == "chunked":
        raw = _pushed(target, manifest, target.bearer, *wish) + b"\r\n"
    else:
        headers = (target.bearer, f"Content-Type: {MANIFEST}", *wish)
        raw = request("PUT", place, *headers, body=manifest)

    answers = send(raw + _last(target))

    assert [answer.status for answer in answers] == [201, 200]
    assert _is_list(answers[1])
    digest = f"sha256:{sha256(manifest).hexdigest()}"
    assert answers[0].headers["docker-content-digest"] == digest


@pytest.mark.parametrize("lead", [b"5\r\nhello\r\n0\r\nX-Trailer: ", b"5;extension="])
def test_no_trailer_and_no_extension_is_endless(target: Target, lead: bytes) -> None:
    head = request("PATCH", target.upload(), target.bearer, CHUNKED)

    answer = exchange(target.port, head + lead, *[b"y" * 1_000_000] * 30)

    assert answer.status == 431


def test_nobody_is_told_to_go_on_who_is_refused_or_does_not_know_the_word(
    target: Target, server: Server
) -> None:
    place = f"/v2/{target.repository}/manifests/sent"
    lines = (f"Content-Type: {MANIFEST}", "Expect: 100-continue")
    manifest = _manifest(target)

    stranger = exchange(target.port, request("PUT", place, *lines, "Content-Length: 1000"))
    large = target.send("PUT", place, *lines, "Content-Length: 99999999")
    asked = request("PUT", place, target.bearer, *lines, body=manifest)
    told = converse(server.port, asked + _last(target))
    old = converse(server.port, asked.replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert (stranger.status, stranger.headers["connection"]) == (401, "close")
    assert (large.status, large.headers["connection"]) == (413, "close")
    assert [answer.status for answer in told] in ([100, 201, 200], [201, 200])
    assert [answer.status for answer in old] == [201]


def test_who_waits_to_hear_whether_to_send_is_refused_before_it_sends(target: Target) -> None:
    unknown = target.upload().rpartition("/")[0] + "/01890000-0000-7000-8000-000000000000"
    asked = ("Content-Length: 1000", "Expect: 100-continue")
    behind, other = "Content-Range: 5-1004", "Content-Range: 0-9"

    answers = [
        target.send("PATCH", unknown, *asked),
        target.send("PUT", f"{unknown}?digest=sha256:{'0' * 64}", *asked),
        target.send("PATCH", target.upload(), *asked, behind),
        target.send("PATCH", target.upload(), *asked, other),
    ]

    assert [answer.status for answer in answers] == [404, 404, 416, 400]
    assert {answer.headers["connection"] for answer in answers} == {"close"}
