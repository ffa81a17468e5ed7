"""Where a request ends and the next begins: what the parser leaves open (RFC 9110, RFC 9112)."""

from typing import Final, Protocol

from httptools import HttpRequestParser

_REASONS: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})

Headers = list[tuple[bytes, bytes]]


class Callbacks(Protocol):
    """What a parser tells of a request."""

    def on_message_begin(self) -> None:
        """Begin a request."""

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header or trailer."""

    def on_headers_complete(self) -> None:
        """Start the application."""

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""

    def on_message_complete(self) -> None:
        """End the request."""


class _WithinRequest:
    """Hands on all but the head that only brings a parser to where a body begins."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks: Final = callbacks
        self._leading = True
        self.on_body: Final = callbacks.on_body
        self.on_message_complete: Final = callbacks.on_message_complete

    def on_message_begin(self) -> None:
        if not self._leading:
            self._callbacks.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._leading:
            self._callbacks.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._leading:
            self._callbacks.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._leading:
            self._callbacks.on_headers_complete()
        self._leading = False


def has_body(headers: Headers) -> bool:
    """Whether a body follows the head with ``headers``, be it an empty one."""
    return any(name in _FRAMING for name, _ in headers)


def after_upgrade(callbacks: Callbacks, headers: Headers) -> tuple[HttpRequestParser, bytes]:
    """Return a parser for what follows the head of a request that asks for another protocol.

    httptools takes such a request to have no body and stops behind its head. We speak no other
    protocol and ignore the wish (RFC 9110 section 7.8), so its body is a body, and what comes
    behind it is the next request. The bytes are to be fed to the parser first: they bring it to
    where the body begins.
    """
    if not has_body(headers):
        return HttpRequestParser(callbacks), b""
    framing = [b"%s: %s\r\n" % header for header in headers if header[0] in _FRAMING]
    lead = b"".join([b"POST / HTTP/1.1\r\n", *framing, b"\r\n"])
    return HttpRequestParser(_WithinRequest(callbacks)), lead


def is_plain(target: bytes, headers: Headers) -> bool:
    """Whether everybody on the way reads this head alike.

    No transfer coding but one ``chunked``, which is all that we can undo; and a target in absolute
    form names the host that the Host header names (RFC 9112 sections 3.2.2 and 6.1).
    """
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
        return False
    scheme, absolute, rest = target.partition(b"://")
    if not absolute or b"/" in scheme:
        return True
    authority = rest.partition(b"/")[0].partition(b"?")[0]
    return all(value.lower() == authority.lower() for name, value in headers if name == b"host")


def refusal(status: int, common: Headers) -> bytes:
    """Return the answer to what is refused before it is a request, in the OCI error shape."""
    reason = _REASONS[status]
    body = b'{"errors":[{"code":"UNSUPPORTED","message":"%s"}]}' % reason.lower()
    lines = [
        b"HTTP/1.1 %d %s" % (status, reason),
        *(b"%s: %s" % header for header in common),
        b"content-type: application/json",
        b"connection: close",
        b"content-length: %d" % len(body),
    ]
    return b"\r\n".join([*lines, b"", body])
