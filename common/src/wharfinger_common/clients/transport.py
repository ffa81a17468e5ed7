"""Carries requests to one service: timeouts, proxies, TLS, retries, bounded answers.

One transport belongs to one thread. It follows no redirect: the interfaces have none, and a
redirected request would carry its token elsewhere.
"""

import json
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPResponse, IncompleteRead
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from wharfinger_common.clients.errors import (
    AddressInvalid,
    Answered,
    AnswerUnusable,
    ConnectionBroken,
    answered,
)
from wharfinger_common.clients.wire import Wire

MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of an answer that is read whole."""
MAX_WAIT: Final = 30.0
"""Seconds that a Retry-After may ask for and still be waited for."""
FIRST_WAIT: Final = 0.2
RETRIED: Final = frozenset({429, 502, 503, 504})
SAFE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
BLOCK: Final = 64 * 1024

Query = Mapping[str, str | int | bool | list[str] | None]


@dataclass(frozen=True, slots=True)
class Options:
    """How a service is called. ``timeout`` in seconds, for each step of a call.

    ``ca_file`` names the only authorities that are trusted, '' those of the machine.
    """

    timeout: float = 60.0
    verify: bool = True
    ca_file: str = ""
    attempts: int = 3
    headers: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: status 2xx (or 3xx, which no interface of ours uses)."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self, host: str = "") -> Any:
        """Return the body as JSON, None where it is empty.

        Raises:
            AnswerUnusable: it is something else.
        """
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise AnswerUnusable(host=host, reason="no JSON") from error


class Watcher(Protocol):
    """Is told of every request and answer, for a trace; masks what is secret itself."""

    def sent(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Note a request."""

    def received(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Note an answer."""


class Transport:
    """Requests to the service at ``base``.

    Raises:
        AddressInvalid: ``base`` is no address.
    """

    def __init__(
        self,
        base: str,
        options: Options | None = None,
        *,
        watcher: Watcher | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base: Final = base.rstrip("/")
        self.options: Final = options or Options()
        self._watcher: Final = watcher
        self._sleep: Final = sleep
        parts = _parts(self.base)
        self.host: Final = parts.netloc
        proxy = proxy_of(parts.scheme, parts.hostname or "", self.options.environ)
        self._wire: Final = Wire(
            parts, proxy, self.options.timeout, lambda: tls_context(self.options)
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return its success; ``body`` goes as JSON, ``form`` as a form.

        A request that may be repeated is, after a connection that broke and after 429, 502, 503
        and 504, as long as `Options.attempts` allow and no longer wait is asked for than
        `MAX_WAIT` seconds.

        Raises:
            CallFailed: one of the tree in `clients.errors`.
        """
        content, kind = _content(body, form)
        sent = {"Accept": "application/json", **self.options.headers, **(headers or {})}
        if kind:
            sent["Content-Type"] = kind
        url = self.base + path + _query(query)
        for done in range(1, self.options.attempts + 1):
            try:
                return self._success(self._once(method, url, sent, content))
            except (ConnectionBroken, Answered) as failure:
                wait = _wait(failure, done)
                if method not in SAFE or done == self.options.attempts or wait is None:
                    raise
            self._sleep(wait)
        raise AssertionError("attempts are at least 1")

    def look(
        self, path: str, *, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET once and return the answer, whatever its status is: for whoever looks for faults.

        Raises:
            Unreachable, AnswerUnusable: there is none.
        """
        sent = {"Accept": "application/json", **self.options.headers, **(headers or {})}
        return self._once("GET", self.base + path + _query(query), sent, None)

    @staticmethod
    def _success(answer: Answer) -> Answer:
        if answer.status < 400:
            return answer
        raise refusal_in(answer)

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """Give headers and body, piece by piece, of what a GET brings.

        Raises:
            CallFailed: one of the tree, also while the pieces are read.
        """
        url = path if "://" in path else self.base + path
        response = self._wire.send("GET", url, {**self.options.headers, **(headers or {})}, None)
        try:
            if response.status >= 300:
                raise answered(response.status, _loads(self._read(response, url, BLOCK)))
            yield _lower(response.headers), self._pieces(response, url)
        finally:
            self._wire.close()

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        if self._watcher:
            self._watcher.sent(method, url, headers, content or b"")
        response = self._wire.send(method, url, headers, content)
        read = self._read(response, url, MAX_ANSWER)
        told = _lower(response.headers)
        if self._watcher:
            self._watcher.received(response.status, told, read)
        return Answer(response.status, told, read)

    def _read(self, response: HTTPResponse, url: str, limit: int) -> bytes:
        """Return the whole body of ``limit`` bytes at most."""
        pieces: list[bytes] = []
        for piece in self._pieces(response, url):
            pieces.append(piece)
            limit -= len(piece)
            if limit < 0:
                self._wire.close()
                raise AnswerUnusable(host=self.host, reason="too large")
        return b"".join(pieces)

    def _pieces(self, response: HTTPResponse, url: str) -> Iterator[bytes]:
        with self._wire.mapped(url, talking=True):
            try:
                while piece := response.read(BLOCK):
                    yield piece
                _require_end(response)
            except BaseException:
                self._wire.close()
                raise


def refusal_in(answer: Answer) -> Answered:
    """Return what an answer that is no success says."""
    return answered(
        answer.status,
        _loads(answer.content),
        answer.headers.get("x-request-id", ""),
        retry_after(answer.headers.get("retry-after", ""), time.time()),
    )


def _require_end(response: HTTPResponse) -> None:
    """Raise where less came than was announced: the library takes an early end for the end."""
    if response.length:
        raise IncompleteRead(b"", response.length)


def _wait(failure: ConnectionBroken | Answered, done: int) -> float | None:
    """Return the seconds before a request is repeated for the ``done``-th time, None for never."""
    growing = FIRST_WAIT * 2.0 ** (done - 1)
    if isinstance(failure, ConnectionBroken):
        return growing
    if failure.status not in RETRIED or failure.retry_after > MAX_WAIT:
        return None
    return failure.retry_after or growing


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path: everything but unreserved characters encoded."""
    return quote(text, safe="")


def retry_after(value: str, now: float) -> int:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), else 0."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return int(value[:9])
    from email.utils import parsedate_to_datetime

    with suppress(ValueError, TypeError, OverflowError):
        return max(0, round(parsedate_to_datetime(value).timestamp() - now))
    return 0


def _parts(base: str) -> SplitResult:
    try:
        parts = urlsplit(base)
        port = parts.port
    except ValueError as error:
        raise AddressInvalid(url=base) from error
    plain = not (parts.query or parts.fragment or parts.username or port == 0)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise AddressInvalid(url=base)
    if any(each.isspace() for each in base):
        raise AddressInvalid(url=base)
    return parts


def proxy_of(scheme: str, host: str, environ: Mapping[str, str]) -> str:
    """Return the proxy that the environment names for a host, '' for none."""
    told = environ.get(f"{scheme}_proxy") or (
        # Behind a CGI server HTTP_PROXY would be a header that the client sent.
        environ.get(f"{scheme.upper()}_PROXY", "") if "REQUEST_METHOD" not in environ else ""
    )
    if not told or _bypassed(host, environ.get("no_proxy") or environ.get("NO_PROXY", "")):
        return ""
    return told if "://" in told else f"http://{told}"


def _bypassed(host: str, exempt: str) -> bool:
    names = [name.strip().lower().lstrip(".").partition(":")[0] for name in exempt.split(",")]
    host = host.lower()
    return any(name in ("*", host) or host.endswith(f".{name}") for name in names if name)


def tls_context(options: Options) -> ssl.SSLContext:
    """Return how TLS is done: with which authorities, checked or not.

    Raises:
        AddressInvalid: the file of authorities cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
    except OSError as error:
        raise AddressInvalid(url=options.ca_file) from error
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _content(body: Any, form: Mapping[str, str] | None) -> tuple[bytes | None, str]:
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    if body is not None:
        return json.dumps(body).encode(), "application/json"
    return None, ""


def _query(query: Query | None) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        if isinstance(value, list):
            pairs += [(name, each) for each in value]
        elif value is not None:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return f"?{urlencode(pairs)}" if pairs else ""


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _loads(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
