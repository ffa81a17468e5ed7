"""Pushes and pulls blobs over plain HTTP, in every way that the specification knows."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Self

import httpx

from tests.support.server import Server, Tenant

MIB = 1024 * 1024


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Repository:
    """One repository as a client with a token for it sees it; a context manager."""

    def __init__(self, api: str, name: str, token: str) -> None:
        self.name = name
        self._api = api
        self._token = token
        self.http = httpx.Client(
            base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    @classmethod
    def of(cls, server: Server, tenant: Tenant, name: str = "app") -> Self:
        repository = f"{tenant.namespace}/{name}"
        token = tenant.registry_token([f"repository:{repository}:pull,push,delete"])
        return cls(server.api, repository, token)

    def at(self, api: str) -> Repository:
        """The same repository through another node."""
        return Repository(api, self.name, self._token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def open(self) -> str:
        """Begin an upload; returns its path."""
        answer = self.http.post(f"/v2/{self.name}/blobs/uploads/").raise_for_status()
        return httpx.URL(answer.headers["Location"]).path

    def stands(self, upload: str) -> int:
        """The bytes that the server has acknowledged, as its Range header tells."""
        answer = self.http.get(upload).raise_for_status()
        last = int(answer.headers["Range"].rpartition("-")[2])
        return last + 1 if last else 0

    def append(self, upload: str, content: bytes | Iterable[bytes]) -> httpx.Response:
        return self.http.patch(upload, content=content)

    def finish(self, upload: str, digest: str, content: bytes = b"") -> httpx.Response:
        return self.http.put(upload, params={"digest": digest}, content=content)

    def blob(self, digest: str, **headers: str) -> httpx.Response:
        return self.http.get(f"/v2/{self.name}/blobs/{digest}", headers=headers)

    def head(self, digest: str) -> httpx.Response:
        return self.http.head(f"/v2/{self.name}/blobs/{digest}")

    def break_off(self, upload: str, content: bytes, announced: int) -> None:
        """PATCH with a body that ends before its announced length, and vanish."""
        url = httpx.URL(self._api)
        head = (
            f"PATCH {upload} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {announced}\r\n\r\n"
        )
        with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
            connection.sendall(head.encode() + content)


# --- Ways to push; each returns the last answer --------------------------------------------


def at_once(repository: Repository, content: bytes) -> httpx.Response:
    """OCI distribution 1.1, Single POST."""
    query = {"digest": digest_of(content)}
    path = f"/v2/{repository.name}/blobs/uploads/"
    return repository.http.post(path, params=query, content=content)


def post_and_put(repository: Repository, content: bytes) -> httpx.Response:
    """OCI distribution 1.1, POST then PUT."""
    return repository.finish(repository.open(), digest_of(content), content)


def streamed(repository: Repository, content: bytes) -> httpx.Response:
    """As docker does: one PATCH of unknown length, then an empty PUT."""
    upload = repository.open()
    repository.append(upload, pieces(content, 100_000)).raise_for_status()
    return repository.finish(upload, digest_of(content))


def chunked(repository: Repository, content: bytes) -> httpx.Response:
    """OCI distribution 1.1, Pushing a blob in chunks; the last one comes with the PUT."""
    upload = repository.open()
    start = 0
    chunks = list(pieces(content, max(1, len(content) // 3)))
    for chunk in chunks[:-1]:
        headers = {"Content-Range": f"{start}-{start + len(chunk) - 1}"}
        repository.http.patch(upload, content=chunk, headers=headers).raise_for_status()
        start += len(chunk)
    return repository.finish(upload, digest_of(content), chunks[-1] if chunks else b"")


Way = Callable[[Repository, bytes], httpx.Response]
WAYS: list[Way] = [at_once, post_and_put, streamed, chunked]
