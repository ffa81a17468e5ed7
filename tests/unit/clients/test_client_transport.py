"""The transport against a real listener: retries, Retry-After, limits, proxies, addresses."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from wharfinger_common.clients.errors import (
    AddressInvalid,
    Answered,
    AnswerLate,
    AnswerUnusable,
    ConnectionBroken,
    ServiceFailed,
    TooMany,
)
from wharfinger_common.clients.transport import Options, Transport, proxy_of, retry_after


@dataclass
class Script:
    """Answers in turn: (status, headers, body); remembers what was asked."""

    answers: list[tuple[int, dict[str, str], bytes]]
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def listening(script: Script) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append((self.command, self.path, headers, body))
            self.close_connection = True
            status, more, content = script.answers.pop(0)
            if not status:
                return
            self.send_response(status)
            for name, value in {
                "Content-Length": str(len(content)),
                "Connection": "close",
                **more,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


OK: tuple[int, dict[str, str], bytes] = (200, {}, b'{"a": 1}')
BROKEN: tuple[int, dict[str, str], bytes] = (0, {}, b"")
NONE: dict[str, str] = {}


def transport(url: str, waits: list[float] | None = None, **options: object) -> Transport:
    made = Options(timeout=5, environ=NONE, **options)  # type: ignore[arg-type]
    return Transport(url, made, sleep=(waits if waits is not None else []).append)


def test_a_call_sends_what_it_is_told() -> None:
    script = Script([OK])
    with listening(script) as url:
        answer = transport(url, headers={"User-Agent": "test"}).call(
            "POST", "/x", query={"a": ["1", "2"], "b": True, "c": None}, body={"n": 1}
        )

    assert answer.json() == {"a": 1}
    method, path, headers, body = script.asked[0]
    assert (method, path) == ("POST", "/x?a=1&a=2&b=true")
    assert (headers["user-agent"], headers["content-type"]) == ("test", "application/json")
    assert json.loads(body) == {"n": 1}


def test_retry_after_is_waited_for() -> None:
    waits: list[float] = []
    script = Script([(503, {"Retry-After": "7"}, b"{}"), (429, {"Retry-After": "2"}, b"{}"), OK])
    with listening(script) as url:
        assert transport(url, waits).call("GET", "/").status == 200

    assert waits == [7, 2]


def test_without_it_waits_grow() -> None:
    waits: list[float] = []
    script = Script([(502, {}, b""), (504, {}, b""), OK])
    with listening(script) as url:
        transport(url, waits).call("GET", "/")

    assert waits == sorted(waits)
    assert len(set(waits)) == 2


def test_a_connection_that_broke_is_made_again() -> None:
    script = Script([BROKEN, BROKEN, OK])
    with listening(script) as url:
        assert transport(url).call("GET", "/").status == 200


def test_what_broke_may_have_been_done() -> None:
    script = Script([BROKEN, OK])
    with listening(script) as url, pytest.raises(ConnectionBroken):
        transport(url).call("POST", "/")

    assert len(script.asked) == 1


def test_a_long_wait_is_left_to_people() -> None:
    waits: list[float] = []
    script = Script([(429, {"Retry-After": "600"}, b"{}")])
    with listening(script) as url, pytest.raises(TooMany) as refused:
        transport(url, waits).call("GET", "/")

    assert (waits, refused.value.retry_after) == ([], 600)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500])
def test_what_is_final_is_not_repeated(status: int) -> None:
    script = Script([(status, {}, b"{}"), OK])
    with listening(script) as url, pytest.raises(Answered):
        transport(url).call("GET", "/")

    assert len(script.asked) == 1


def test_what_may_have_been_done_is_not_repeated() -> None:
    script = Script([(503, {}, b"{}"), OK])
    with listening(script) as url, pytest.raises(ServiceFailed):
        transport(url).call("POST", "/")

    assert len(script.asked) == 1


def test_redirects_are_not_followed() -> None:
    script = Script([(302, {"Location": "/elsewhere"}, b""), OK])
    with listening(script) as url:
        transport(url).call("GET", "/", headers={"Authorization": "Bearer t"})

    assert len(script.asked) == 1


def test_an_answer_that_is_no_json_is_unusable() -> None:
    with listening(Script([(200, {}, b"<html>")])) as url, pytest.raises(AnswerUnusable):
        transport(url).call("GET", "/").json()


def test_an_answer_that_ends_early_is_broken() -> None:
    script = Script([(200, {"Content-Length": "50"}, b"{}")] * 3)
    with listening(script) as url, pytest.raises((ConnectionBroken, AnswerLate)):
        transport(url).call("GET", "/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "registry.example",
        "ftp://registry.example",
        "https://",
        "https://a b",
        "https://h:99999",
        "https://h:x",
        "https://user@h",
        "https://h/?q",
        "https://h/#f",
        "https://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(AddressInvalid):
        Transport(address, Options(environ=NONE))


@pytest.mark.parametrize(
    ("scheme", "host", "environ", "expected"),
    [
        ("https", "h", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https", "h", {"https_proxy": "p:1"}, "http://p:1"),
        ("http", "h", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("http", "h", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, ""),
        ("https", "h.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": "example"}, ""),
        ("https", "h.example", {"HTTPS_PROXY": "http://p", "NO_PROXY": ".example"}, ""),
        ("https", "hexample", {"HTTPS_PROXY": "http://p", "NO_PROXY": "example"}, "http://p"),
        ("https", "H", {"HTTPS_PROXY": "http://p", "no_proxy": "x, h"}, ""),
        ("https", "h", {"HTTPS_PROXY": "http://p", "no_proxy": "*"}, ""),
    ],
)
def test_the_environment_names_the_proxy(
    scheme: str, host: str, environ: dict[str, str], expected: str
) -> None:
    assert proxy_of(scheme, host, environ) == expected


def test_a_proxy_carries_the_call_with_its_login() -> None:
    script = Script([OK])
    with listening(script) as url:
        environ = {"http_proxy": url.replace("//", "//me:pass@")}
        made = Transport("http://registry.example", Options(timeout=5, environ=environ))
        assert made.call("GET", "/x").status == 200

    _, path, headers, _ = script.asked[0]
    assert path == "http://registry.example/x"
    assert headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0),
        ("99999999999999999999", 999999999),
    ],
)
def test_retry_after_in_both_forms(value: str, seconds: int) -> None:
    assert retry_after(value, 60.0) == seconds
