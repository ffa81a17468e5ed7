"""A small HTTP/1.1 client on a kept-alive socket: cheap enough not to be what is measured.

Bodies go out as memoryviews and come in into one reused buffer.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from bench.payload import Payload

BUFFER_BYTES = 1 << 20
TIMEOUT_SECONDS = 300.0
_OCTETS = "Content-Type: application/octet-stream\r\n"


class UnexpectedAnswerError(Exception):
    """The server answered with another status than the benchmark expects."""


@dataclass(frozen=True)
class Answer:
    """Status, header fields by lower-case name, and the body unless it was only counted."""

    status: int
    headers: dict[str, str]
    body: bytes
    size: int


class Client:
    """One connection to a registry on the loopback; used by one thread."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._common = f"Host: localhost:{port}\r\nAuthorization: Bearer {token}\r\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._socket.close()

    def request(
        self,
        method: str,
        target: str,
        *,
        expect: int,
        fields: str = "",
        body: Iterable[bytes | memoryview] = (),
        size: int = 0,
        keep: bool = True,
    ) -> Answer:
        """Sends one request and reads its answer; raises `UnexpectedAnswerError`.

        ``fields`` are further header lines, each ended by CRLF; ``size`` is the body's, in bytes.
        With ``keep=False`` the answer's body is read and counted only.
        """
        length = "" if method in {"GET", "HEAD"} else f"Content-Length: {size}\r\n"
        self._socket.sendall(
            f"{method} {target} HTTP/1.1\r\n{self._common}{length}{fields}\r\n".encode()
        )
        for part in body:
            self._socket.sendall(part)
        answer = self._read(method, keep=keep)
        if answer.status != expect:
            raise UnexpectedAnswerError(f"{method} {target}: {answer.status} {answer.body[:500]!r}")
        return answer

    def push(self, repository: str, payload: Payload) -> None:
        """Pushes a blob as docker's own store, podman and skopeo do: POST, one PATCH, PUT."""
        patched = self.request(
            "PATCH",
            self._open(repository),
            expect=202,
            fields=_OCTETS,
            body=payload.parts(),
            size=payload.size,
        )
        location = _local(patched.headers["location"])
        self.request("PUT", _with_digest(location, payload), expect=201)

    def push_whole(self, repository: str, payload: Payload) -> None:
        """Pushes a blob as containerd, BuildKit and oras do: POST, and PUT with all the bytes."""
        self.request(
            "PUT",
            _with_digest(self._open(repository), payload),
            expect=201,
            fields=_OCTETS,
            body=payload.parts(),
            size=payload.size,
        )

    def _open(self, repository: str) -> str:
        opened = self.request("POST", f"/v2/{repository}/blobs/uploads/", expect=202)
        return _local(opened.headers["location"])

    def pull(self, repository: str, payload: Payload) -> None:
        """Pulls a blob and throws its bytes away."""
        answer = self.request(
            "GET", f"/v2/{repository}/blobs/{payload.digest}", expect=200, keep=False
        )
        if answer.size != payload.size:
            raise UnexpectedAnswerError(f"{payload.digest}: {answer.size} of {payload.size} bytes")

    def put_manifest(
        self, repository: str, reference: str, content: bytes, media_type: str
    ) -> None:
        """Pushes a manifest; ``reference`` may carry a query."""
        self.request(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            expect=201,
            fields=f"Content-Type: {media_type}\r\n",
            body=(content,),
            size=len(content),
        )

    def _read(self, method: str, *, keep: bool) -> Answer:
        status = int(self._reader.readline().split(b" ", 2)[1])
        headers: dict[str, str] = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if method == "HEAD" or status in {204, 304}:
            return Answer(status, headers, b"", 0)
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(self._chunks())
            return Answer(status, headers, body, len(body))
        size = int(headers.get("content-length", "0"))
        if keep:
            return Answer(status, headers, self._reader.read(size), size)
        return Answer(status, headers, b"", self._count(size))

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self._reader.readline(), 16):
            yield self._reader.read(size)
            self._reader.readline()
        self._reader.readline()

    def _count(self, size: int) -> int:
        left = size
        while left and (got := self._reader.readinto(self._buffer[: min(left, BUFFER_BYTES)])):
            left -= got
        return size - left


def _with_digest(location: str, payload: Payload) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={payload.digest}"


def _local(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
