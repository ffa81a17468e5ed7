"""Requests that no honest client sends: each gets its 4xx, and the server stays well.

What the HTTP parser refuses before it is a request may lack our form; all else must have it.
"""

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.support.rawhttp import exchange, read_answer, request
from tests.support.target import MANIFEST, Target, refused, running_target, turned_away

STALL_SECONDS = 2
HEADER_SECONDS = 2
MANIFEST_BYTES = 128 * 1024


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    settings = {
        "WHARFINGER_BODY_STALL_SECONDS": str(STALL_SECONDS),
        "WHARFINGER_HEADER_SECONDS": str(HEADER_SECONDS),
        "WHARFINGER_MANIFEST_BYTES": str(MANIFEST_BYTES),
        "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600",
    }
    with running_target(tmp_path_factory.mktemp("hostile") / "data", settings) as target:
        yield target


@pytest.fixture(autouse=True)
def stays_well(target: Target) -> Iterator[None]:
    """After each attack the server is ready, takes a push and gives it back."""
    yield
    assert target.http.get("/health/ready").status_code == 200
    target.push_and_pull()


REFERENCES = [
    "NS%2Fapp/manifests/v1",
    "NS%2fapp/tags/list",
    "NS/../app/manifests/v1",
    "NS/app/../../api/manifests/v1",
    "NS/%2e%2e/app/manifests/v1",
    "NS/%2E%2E%2Fapp/manifests/v1",
    "NS/./app/tags/list",
    "NS/app/manifests/..",
    "NS//app/tags/list",
    "/NS/app/tags/list",
    "NS/app/manifests/%00",
    "NS/app%0d%0aX-Evil:1/tags/list",
    "NS/app%20b/tags/list",
    "NS/APP/tags/list",
    "NS/app-/tags/list",
    "NS/a___b/tags/list",
    "NS/%C3%A1pp/tags/list",
    "NS/%ff%fe/tags/list",
    "NS/%e2%80%ae/tags/list",
    "NS/a\\b/tags/list",
    "NS/" + "a" * 300 + "/tags/list",
    "NS/" + "a/" * 300 + "b/tags/list",
    "NS/app/manifests/" + "t" * 129,
    "NS/app/manifests/-tag",
    "NS/app/manifests/sha256:abc",
    "NS/app/manifests/sha256:" + "A" * 64,
    "NS/app/manifests/sha512:" + "a" * 64,
    "NS/app/manifests/md5:" + "a" * 32,
    "NS/app/blobs/sha256:" + "g" * 64,
    "NS/app/blobs/sha256:" + "a" * 65,
    "NS/app/blobs/sha256:" + "%C2%B2" * 64,
    "NS/app/blobs/" + "a" * 64,
    "NS/app/blobs/sha256%3A" + "a" * 63,
    "NS/app/blobs/uploads/not-an-upload",
    "NS/app/blobs/uploads/..%2f..%2f..%2fetc%2fpasswd",
    "NS/app/blobs/uploads/%2e%2e",
    "NS/app/referrers/sha256:abc",
    "NS/app/tags/list?n=-1",
    "NS/app/tags/list?n=x",
    "NS/app/tags/list?n=" + "9" * 5000,
    "NS/app/tags/list?n=1&last=%00",
]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda text: str(text)[:48])
def test_odd_names_digests_and_paths(target: Target, reference: str) -> None:
    path = "/v2/" + reference.replace("NS", target.tenant.namespace)
    refused(target.send("GET", path))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/..",
        "/api/v1/namespaces/%2e%2e%2f",
        "/api/v1/namespaces/a%2Fb",
        "/api/v1/namespaces/%00",
        "/api/v1/namespaces/" + "a" * 1500,
        "/identity/v1/users/%2e%2e",
        "/identity/v1/users/a%2fb",
        "/identity/v1/users/%ff",
        "/nothing/here",
        "/v3/",
        "//",
    ],
    ids=lambda text: str(text)[:48],
)
def test_odd_paths_of_the_control_api(target: Target, path: str) -> None:
    answer = exchange(target.port, request("DELETE", path, *target.control))
    refused(answer)


@pytest.mark.parametrize(
    "raw",
    [
        b"/v2/caf\xc3\xa9/app/tags/list",
        b"/v2/\xff\xfe/tags/list",
        b"/v2/a\x00b/tags/list",
        b"/v2/a\x7fb/tags/list",
        b"/v2/a b/tags/list",
        b"/" + b"a" * 100_000,
        b"/v2/?" + b"q" * 100_000,
        b"*",
        b"http://elsewhere.example/v2/x/tags/list",
        b"elsewhere.example:443",
        b"",
    ],
    ids=range(11),
)
def test_request_targets_that_are_none(target: Target, raw: bytes) -> None:
    turned_away(target.send("GET", raw))


@pytest.mark.parametrize(
    "method", ["BREW", "get", "PROPFIND", "A" * 5_000, "G\x01T", "TRACE", "CONNECT"]
)
def test_methods_that_are_not_offered(target: Target, method: str) -> None:
    turned_away(target.send(method, f"/v2/{target.repository}/tags/list"))


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Long: " + "x" * 200_000],
        [f"X-Many-{number}: 1" for number in range(20_000)],
        ["X" * 100_000 + ": 1"],
        ["No colon here"],
        ["Space before : colon"],
        [": empty name"],
        ["X-Nul: a\x00b"],
        ["X-Folded: a\r\n b\r\n\tc: d\x01"],
        ["Content-Length: -1"],
        ["Content-Length: +5"],
        ["Content-Length: 0x10"],
        ["Content-Length: 5, 6"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: " + "9" * 40],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
    ],
    ids=lambda lines: lines[0][:32],
)
def test_headers_that_break_the_rules(target: Target, headers: list[str]) -> None:
    path = f"/v2/{target.repository}/manifests/smuggled"
    head = request("PUT", path, target.bearer, f"Content-Type: {MANIFEST}", *headers)
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    turned_away(exchange(target.port, head, smuggled, half_close=True))
    assert target.send("GET", path).status == 404


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-5\r\nabc\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nabc\r\n",
        b"5\r\nabc",
        b"3\r\nabcXX0\r\n\r\n",
        b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
        b"\r\n\r\n",
    ],
    ids=range(7),
)
def test_chunked_bodies_that_are_broken(target: Target, chunks: bytes) -> None:
    path = f"/v2/{target.repository}/manifests/broken"
    head = request(
        "PUT", path, target.bearer, f"Content-Type: {MANIFEST}", "Transfer-Encoding: chunked"
    )
    turned_away(exchange(target.port, head, chunks, half_close=True))
    assert target.send("GET", path).status == 404


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 4096, b"GET\r\n\r\n"]
)
def test_what_is_not_http(target: Target, garbage: bytes) -> None:
    turned_away(exchange(target.port, garbage, half_close=True))


def test_a_request_without_a_host_is_answered_or_refused_but_not_misled(target: Target) -> None:
    raw = b"GET /v2/ HTTP/1.1\r\n\r\n"
    turned_away(exchange(target.port, raw))
    two = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    answer = exchange(target.port, two)
    turned_away(answer)
    assert "evil.example" not in answer.headers.get("www-authenticate", "")
    odd = b'GET /v2/ HTTP/1.1\r\nHost: a"b,realm="x\r\n\r\n'
    answer = exchange(target.port, odd)
    turned_away(answer)
    assert 'realm="x' not in answer.headers.get("www-authenticate", "")


def test_slow_headers_are_given_up(target: Target) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as connection:
        begun = time.monotonic()
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        turned_away(read_answer(connection))
        assert time.monotonic() - begun < HEADER_SECONDS + 10


def test_dripping_headers_are_given_up(target: Target) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as connection:
        begun = time.monotonic()
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n")
        connection.settimeout(0.2)
        answer = None
        while answer is None and time.monotonic() - begun < HEADER_SECONDS + 10:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"X-Drip: 1\r\n")
            with contextlib.suppress(TimeoutError):
                answer = read_answer(connection)
        assert answer is not None, "the connection is still open"
        turned_away(answer)


def test_hundreds_of_slow_connections_keep_nobody_waiting(target: Target) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", target.port)))
            slow.sendall(b"POST /identity/token HTTP/1.1\r\nHost: localhost\r\nContent-Le")
        begun = time.monotonic()
        target.push_and_pull()
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("kind", ["manifest", "upload", "token", "control"])
def test_a_body_that_stands_still_is_given_up(target: Target, kind: str) -> None:
    promised = "Content-Length: 1000"
    head = {
        "manifest": lambda: request(
            "PUT", f"/v2/{target.repository}/manifests/slow", target.bearer, promised
        ),
        "upload": lambda: request("PATCH", target.upload(), target.bearer, promised),
        "token": lambda: request("POST", "/identity/token", promised),
        "control": lambda: request("POST", "/identity/v1/serviceids", *target.control, promised),
    }[kind]()
    begun = time.monotonic()
    answer = exchange(target.port, head, b"x")
    assert time.monotonic() - begun < STALL_SECONDS + 10
    refused(answer, 408)


def test_a_body_shorter_than_announced_commits_nothing(target: Target) -> None:
    place = f"/v2/{target.repository}/manifests/short"
    body = b'{"schemaVersion": 2}'
    head = request(
        "PUT", place, target.bearer, f"Content-Type: {MANIFEST}", f"Content-Length: {len(body) + 9}"
    )
    turned_away(exchange(target.port, head, body, half_close=True))
    assert target.send("GET", place).status == 404
    digest = f"sha256:{sha256(b'partial').hexdigest()}"
    head = request("PUT", f"{target.upload()}?digest={digest}", target.bearer, "Content-Length: 99")
    turned_away(exchange(target.port, head, b"partial", half_close=True))
    assert target.send("GET", f"/v2/{target.repository}/blobs/{digest}").status == 404


def test_bytes_after_the_announced_body_are_not_part_of_it(target: Target) -> None:
    """Whether the blob is taken or refused with what follows it: never anything between."""
    digest = f"sha256:{sha256(b'exact').hexdigest()}"
    path = f"{target.upload()}?digest={digest}"
    head = request("PUT", path, target.bearer, "Content-Length: 5")
    put = exchange(target.port, head, b"exact and then some garbage")
    assert put.status in {201, 400}
    answer = target.send("GET", f"/v2/{target.repository}/blobs/{digest}")
    expected = (200, b"exact") if put.status == 201 else (404, answer.body)
    assert (answer.status, answer.body) == expected


MANIFESTS = {
    "deep arrays": b"[" * 50_000 + b"]" * 50_000,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep inside": b'{"schemaVersion":2,"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "repeated key": b'{"schemaVersion":2,"schemaVersion":2,"layers":[]}',
    "repeated layers": b'{"schemaVersion":2,"layers":[],"layers":[]}',
    "huge number": b'{"schemaVersion":' + b"9" * 50_000 + b"}",
    "huge exponent": b'{"schemaVersion":1e999999}',
    "not a number": b'{"schemaVersion":NaN}',
    "negative size": b'{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:'
    + b"a" * 64
    + b'","size":-1},"layers":[]}',
    "lone surrogate": b'{"schemaVersion":2,"mediaType":"\\ud800"}',
    "bad utf-8": b'{"schemaVersion":2,"mediaType":"\xff\xfe"}',
    "byte order mark": b'\xef\xbb\xbf{"schemaVersion":2}',
    "utf-16": '{"schemaVersion":2}'.encode("utf-16"),
    "trailing": b'{"schemaVersion":2} {"schemaVersion":2}',
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "string": b'"manifest"',
    "cut": b'{"schemaVersion":2,',
    "many keys": json.dumps({f"k{n}": n for n in range(8_000)}).encode(),
    "many layers": b'{"schemaVersion":2,"layers":[' + b",".join([b"{}"] * 20_000) + b"]}",
    "too large": b'{"schemaVersion":2,"x":"' + b"x" * MANIFEST_BYTES + b'"}',
    "gzip": gzip.compress(b'{"schemaVersion":2}'),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_manifests_that_are_none(target: Target, kind: str) -> None:
    place = f"/v2/{target.repository}/manifests/hostile"
    answer = target.send("PUT", place, f"Content-Type: {MANIFEST}", body=MANIFESTS[kind])
    refused(answer, *((413,) if kind == "too large" else (400, 404)))
    assert target.send("GET", place).status == 404


BODIES = {
    "deep": b"[" * 100_000,
    "repeated": b'{"name":"a","name":"b"}',
    "nul": b'{"name":"a\\u0000"}',
    "number": b'{"name":' + b"9" * 100_000 + b"}",
    "type": b'{"name":["a"]}',
    "large": b'{"name":"' + b"x" * 2_000_000 + b'"}',
    "not json": b"\x00\x01\x02",
    "empty": b"",
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("zipped", [False, True])
def test_control_bodies_that_are_none(target: Target, kind: str, zipped: bool) -> None:
    headers = [*target.control, "Content-Type: application/json"]
    body = BODIES[kind]
    if zipped:
        headers, body = [*headers, "Content-Encoding: gzip"], gzip.compress(body)
    answer = exchange(target.port, request("POST", "/identity/v1/users", *headers, body=body))
    refused(answer, 413 if kind == "large" else 400)


def test_a_gzip_bomb_is_refused_quickly(target: Target) -> None:
    bomb = gzip.compress(b"0" * 500_000_000, 1)[:1_000_000]
    headers = [*target.control, "Content-Type: application/json", "Content-Encoding: gzip"]
    begun = time.monotonic()
    answer = exchange(target.port, request("POST", "/identity/v1/users", *headers, body=bomb))
    refused(answer, 413)
    assert time.monotonic() - begun < 5


TOKENS = {
    "empty": "",
    "dots": "..",
    "none": "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJvcGVyYXRvciIsImV4cCI6OTk5OTk5OTk5OX0.",
    "text": "x" * 100,
    "parts": "a.b.c.d.e.f",
    "latin": "\xe9\xe8",
    "long": "a" * 20_000,
    "hs256": "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QifQ.e30.AAAA",
}


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("path", ["/v2/", "/v2/x/y/tags/list", "/api/v1/namespaces"])
def test_tokens_that_are_none(target: Target, kind: str, path: str) -> None:
    headers = [f"Authorization: Bearer {TOKENS[kind]}", f"Account: {target.tenant.account}"]
    refused(exchange(target.port, request("GET", path, *headers)), 401)


@pytest.mark.parametrize(
    "credentials", ["", "!!!", "Og==", "YTpi" * 5_000, "/////w==", "aWFtYXBpa2V5", "AAA6AAA="]
)
def test_basic_credentials_that_are_none(target: Target, credentials: str) -> None:
    path = "/oauth/token?service=registry"
    answer = exchange(target.port, request("GET", path, f"Authorization: Basic {credentials}"))
    refused(answer, 400, 401, 429)


SCOPE = "repository:a/b:pull"


@pytest.mark.parametrize(
    "query",
    [
        "&".join([f"scope={SCOPE}"] * 500),
        "scope=" + "%20".join([SCOPE] * 500),
        "scope=repository",
        "scope=:::",
        "scope=%00:a:pull",
        "scope=%ff%fe",
        "service=elsewhere",
        "service=registry&service=" + "x" * 1000,
    ],
    ids=lambda text: str(text)[:24],
)
def test_scopes_and_services_that_are_none(target: Target, query: str) -> None:
    refused(exchange(target.port, request("GET", f"/oauth/token?{query}")), 400)


def test_thousands_of_scopes_in_a_form(target: Target) -> None:
    form = "grant_type=password&service=registry&client_id=x&username=iamapikey&password=x&"
    headers = ["Content-Type: application/x-www-form-urlencoded"]
    for scopes in ("&".join([f"scope={SCOPE}"] * 20_000), "scope=" + "+".join([SCOPE] * 20_000)):
        body = (form + scopes).encode()
        refused(
            exchange(target.port, request("POST", "/oauth/token", *headers, body=body)), 400, 401
        )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"grant_type=apikey",
        b"%ff=%ff",
        b"=&=&=",
        b"a=b&" * 100_000,
        b"\x00" * 1000,
        b"x" * 2_000_000,
    ],
    ids=range(7),
)
def test_token_forms_that_are_none(target: Target, body: bytes) -> None:
    refused(exchange(target.port, request("POST", "/identity/token", body=body)), 400, 413)


@pytest.mark.parametrize(
    "content_range",
    ["5-9", "0-", "-1", "9-0", "0-99999999999999999999999", "bytes 0-4/5", "a-b", "0-4, 5-9", ""],
)
def test_upload_ranges_that_do_not_fit(target: Target, content_range: str) -> None:
    answer = target.send("PATCH", target.upload(), f"Content-Range: {content_range}", body=b"12345")
    if content_range == "":
        assert answer.status in {202, 400, 416}
    else:
        refused(answer, 400, 416)


@pytest.mark.parametrize(
    ("method", "target_path", "allowed"),
    [
        ("POST", "/v2/{repository}/tags/list", "GET"),
        ("PATCH", "/v2/{repository}/manifests/v1", "DELETE, GET, HEAD, PUT"),
        ("GET", "/identity/token", "POST"),
        ("POST", "/health/ready", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    target: Target, method: str, target_path: str, allowed: str
) -> None:
    answer = target.send(method, target_path.format(repository=target.repository))

    refused(answer, 405)
    offered = answer.headers["allow"].replace("HEAD, ", "").replace(", HEAD", "")
    assert offered == allowed.replace("HEAD, ", "")


def test_a_host_that_is_none_is_refused_before_it_could_name_a_realm(target: Target) -> None:
    raw = b'GET /v2/ HTTP/1.1\r\nHost: a"b,realm="x\r\nConnection: close\r\n\r\n'

    answer = exchange(target.port, raw)

    refused(answer, 400)
