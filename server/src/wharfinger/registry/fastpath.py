"""The short path for reading manifests and blobs, in front of the router.

It answers only the plain case (GET or HEAD with a valid token that grants pull, no conditions,
no ranges) with one prepared statement, on the event loop; whatever else comes is left to the
ordinary routes, which also word every refusal. So it never says no, and what it says is byte for
byte what the ordinary route would say (tests/contracts/test_fastpath.py).

The statement reads the credential's epoch together with the content: a revoked token, a moved
tag, a namespace being deleted are seen at once. This is the one module that reads tables of
several rooms (docs/adr/0003).
"""

import os
import sqlite3
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple, Protocol

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.identity.model import PULL, Claims, TokenType
from wharfinger.registry.model.blobs import Headers, blob_headers
from wharfinger.registry.model.collection import young_since
from wharfinger.registry.model.manifests import manifest_headers
from wharfinger.web.context import Web
from wharfinger.web.exchange import Exchange, new_request_id, request_id
from wharfinger.web.meter import Answered
from wharfinger.web.sendfile import ClientGone, offered, send_file
from wharfinger_common.refusals import Refusal

_FROM: Final = """
FROM repositories r
JOIN namespaces n ON n.region = r.region AND n.name = r.namespace AND n.state = 'active'
"""
_EPOCH: Final = "(SELECT epoch FROM credentials WHERE id = :credential)"
_WHERE: Final = "WHERE r.region = :region AND r.name = :repository"

# The content of a HEAD is not read, only measured.
_MANIFEST: Final = f"""
SELECT {_EPOCH}, m.digest, m.media_type, length(m.content), {{content}}
{_FROM} {{tag}}
JOIN manifests m ON m.repository_id = r.id AND m.digest = {{digest}} AND m.damaged_at IS NULL
{_WHERE}
"""
_TAG: Final = "JOIN tags t ON t.repository_id = r.id AND t.name = :reference"
_BLOB: Final = f"""
SELECT {_EPOCH}, b.size, b.location
{_FROM}
JOIN repository_blobs l ON l.repository_id = r.id AND l.digest = :reference
JOIN blobs b ON b.digest = l.digest AND b.damaged_at IS NULL
{_WHERE}
"""
# Who is told that a blob exists must find it for a while. What is neither young nor needed by a
# manifest gets that time by the ordinary route, which may write. Most blobs are young or old and
# needed: the references are looked up only for the latter.
_HELD: Final = """
AND (l.linked_at > :young OR EXISTS (
    SELECT 1 FROM manifest_references f
    WHERE f.repository_id = l.repository_id AND f.child = l.digest AND f.kind = 'blob'
))
"""
_BLOB_HEAD: Final = _BLOB + _HELD

_API_VERSION: Final = (b"docker-distribution-api-version", b"registry/2.0")
ROUTES: Final = {
    "manifests": "/v2/{name}/manifests/{reference}",
    "blobs": "/v2/{name}/blobs/{digest}",
}
"""Templates of the ordinary routes, for figures and logs."""

_ORDINARY_HEADERS: Final = frozenset({b"range", b"if-none-match", b"if-match", b"if-range"})


Answer = tuple[Headers, bytes]
Key = dict[str, str | int]
"""The parameters of a look-up."""


class FoundManifest(NamedTuple):
    """A manifest as stored; ``content`` is None where only its head was asked for."""

    epoch: int | None
    digest: str
    media_type: str
    size: int
    content: bytes | None


class FoundBlob(NamedTuple):
    """A blob's size in bytes and where the store keeps it."""

    epoch: int | None
    size: int
    location: str


class FastReads(Protocol):
    """The look-ups of the fast path; cheap enough for the event loop."""

    def manifest(self, key: Key, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        """Return the manifest that ``key`` names, if it is there."""

    def blob(self, key: Key) -> FoundBlob | None:
        """Return the blob that ``key`` names, if that repository shows it."""

    def blob_head(self, key: Key) -> FoundBlob | None:
        """Return the blob, if a manifest needs it or it was linked after ``key["young"]``."""


class SqliteFastReads:
    """`FastReads` over a raw connection, used by one event loop only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute: Final = connection.execute

    def manifest(self, key: Key, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        """Return the manifest; see the port."""
        row = self._execute(_MANIFESTS[by_tag, with_content], key).fetchone()
        return FoundManifest(*row) if row else None

    def blob(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = self._execute(_BLOB, key).fetchone()
        return FoundBlob(*row) if row else None

    def blob_head(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = self._execute(_BLOB_HEAD, key).fetchone()
        return FoundBlob(*row) if row else None


_MANIFESTS: Final = {
    (by_tag, with_content): _MANIFEST.format(
        content="m.content" if with_content else "NULL",
        tag=_TAG if by_tag else "",
        digest="t.digest" if by_tag else ":reference",
    )
    for by_tag in (True, False)
    for with_content in (True, False)
}


class Tokens(Protocol):
    """Where the fast path has tokens verified; a known one costs a dictionary look-up."""

    def verify(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Return the claims of a valid token."""


class _Read(NamedTuple):
    """What a path asks for."""

    repository: str
    kind: str
    reference: str


class _FoundFile(NamedTuple):
    """A blob's open file and what the answer says of it."""

    file: FileIO
    digest: str
    size: int
    claims: Claims


class FastPath:
    """ASGI layer: answers plain reads itself, hands all else to ``app``."""

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: Tokens,
        reads: FastReads,
        path_of: Callable[[str], Path | None],
    ) -> None:
        self._app: Final = app
        self._web: Final = web
        self._tokens: Final = tokens
        self._reads: Final = reads
        self._path_of: Final = path_of
        regions = web.urls.regions
        self._regions: Final = {host.encode(): one.name for host, one in regions.hosts.items()}
        self._several: Final = regions.only is None
        self._shorts: Final = {
            (method, kind): web.meter.short(ROUTES[kind], method)
            for method, kind in (("GET", "manifests"), ("HEAD", "manifests"), ("HEAD", "blobs"))
        }
        self._proxied: Final = bool(web.settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3): a blob's bytes here, all else by the ordinary routes.

        What `at_once` can answer the protocol has asked it for already; asking again would only
        repeat the look-up of what it did not find.
        """
        found = self._file(scope)
        if found is None:
            await self._app(scope, receive, send)
        else:
            await self._send(scope, receive, send, found)

    def at_once(self, scope: Scope) -> Answer | None:
        """Return the headers and body of a 200 that needs no waiting: all but a blob's bytes.

        Called by the server's protocol before it makes a task of the request.
        """
        started = perf_counter()
        read = self._plain_read(scope)
        if read is None or (read.kind == "blobs" and scope["method"] == "GET"):
            return None
        claims = self._claims(scope, read)
        if claims is None:
            return None
        found = self._manifest if read.kind == "manifests" else self._blob_head
        try:
            answer = found(scope, read, claims)
        except sqlite3.Error:
            return None
        if answer is not None:
            headers, body = answer
            headers.append((b"x-request-id", self._request_id(scope)))
            seconds = perf_counter() - started
            self._shorts[scope["method"], read.kind].add(seconds, len(body))
            if self._web.access.all:
                self._log(scope, read, claims, answer, seconds)
        return answer

    def _request_id(self, scope: Scope) -> bytes:
        known = request_id(scope, self._web.urls) if self._proxied else new_request_id()
        return known.encode()

    def _log(
        self, scope: Scope, read: _Read, claims: Claims, answer: Answer, seconds: float
    ) -> None:
        headers, body = answer
        answered = Answered(ROUTES[read.kind], scope["method"], 200, "", seconds, 0, len(body))
        self._web.access.write(headers[-1][1].decode(), claims.account, answered)

    def _file(self, scope: Scope) -> _FoundFile | None:
        """Return the file to answer with, if this is a GET of a blob and the server can send it."""
        read = self._plain_read(scope)
        if read is None or read.kind != "blobs" or scope["method"] != "GET":
            return None
        claims = self._claims(scope, read)
        if claims is None:
            return None
        try:
            found = self._reads.blob(self._key(read, claims))
        except sqlite3.Error:
            return None
        if found is None or found.epoch != claims.epoch:
            return None
        file = self._open(scope, found)
        return None if file is None else _FoundFile(file, read.reference, found.size, claims)

    async def _send(self, scope: Scope, receive: Receive, send: Send, found: _FoundFile) -> None:
        exchange = Exchange(scope, receive, send, self._web.urls)
        exchange.route, exchange.presented.claims = ROUTES["blobs"], found.claims
        headers = blob_headers(found.digest, found.size)
        self._web.meter.began()
        try:
            with found.file as file:
                await exchange.send(
                    {"type": "http.response.start", "status": 200, "headers": headers}
                )
                await send_file(exchange.send, file, 0, found.size)
        except ClientGone:
            exchange.gone = True
            raise
        finally:
            exchange.end(self._web.meter, self._web.access)

    def _plain_read(self, scope: Scope) -> _Read | None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return None
        path: str = scope["path"]
        if not path.startswith("/v2/") or b"%" in scope["raw_path"] or self._web.draining():
            return None
        head, _, reference = path.rpartition("/")
        repository, _, kind = head[4:].rpartition("/")
        if kind not in {"manifests", "blobs"} or not repository or not reference:
            return None
        return _Read(repository, kind, reference)

    def _claims(self, scope: Scope, read: _Read) -> Claims | None:
        """Return the claims of a token that grants the read and is still valid, else None."""
        token, host = "", b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                if value[:7].lower() != b"bearer ":
                    return None
                token = value[7:].decode("latin-1")
            elif name == b"host":
                host = value
            elif name in _ORDINARY_HEADERS:
                return None
        if not token:
            return None
        try:
            claims = self._tokens.verify(token, TokenType.REGISTRY, "registry")
            if self._several and claims.region != self._region(scope, host):
                return None
        except Refusal:
            return None
        return claims if claims.grants(read.repository, PULL) else None

    def _region(self, scope: Scope, host: bytes) -> str:
        """Return the region that is called; the host may be a proxy's word, or in other form."""
        proxied = self._web.settings.trusted_proxies
        known = None if proxied else self._regions.get(host)
        return known or self._web.urls.region(HTTPConnection(scope))

    @staticmethod
    def _key(read: _Read, claims: Claims) -> Key:
        return {
            "region": claims.region,
            "repository": read.repository,
            "reference": read.reference,
            "credential": claims.credential,
        }

    def _manifest(self, scope: Scope, read: _Read, claims: Claims) -> Answer | None:
        found = self._reads.manifest(
            self._key(read, claims),
            by_tag=":" not in read.reference,
            with_content=scope["method"] == "GET",
        )
        if found is None or found.epoch != claims.epoch:
            return None
        headers = manifest_headers(found.digest, found.media_type, found.size)
        return headers, found.content or b""

    def _blob_head(self, _scope: Scope, read: _Read, claims: Claims) -> Answer | None:
        young = young_since(self._web.clock(), self._web.settings.collection_grace_seconds)
        found = self._reads.blob_head(self._key(read, claims) | {"young": young})
        if found is None or found.epoch != claims.epoch:
            return None
        return [*blob_headers(read.reference, found.size), _API_VERSION], b""

    def _open(self, scope: Scope, found: FoundBlob) -> FileIO | None:
        """Return the file to send, where the server can send files and it is there, whole."""
        path = self._path_of(found.location)
        if path is None or not offered(scope):
            return None
        try:
            file = FileIO(path)
        except OSError:
            return None
        if os.fstat(file.fileno()).st_size != found.size:
            file.close()
            return None
        return file
