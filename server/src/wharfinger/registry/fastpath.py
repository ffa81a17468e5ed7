"""The short path for reading manifests and blobs, in front of the router.

It answers only the plain case (GET or HEAD with a valid token that grants pull, no conditions,
no ranges) with one prepared statement, on the event loop; whatever else comes is left to the
ordinary routes, which also word every refusal. So it never says no, and what it says is byte for
byte what the ordinary route would say (tests/contracts/test_fastpath.py).

With SQLite that takes microseconds and happens at once, before the request is even a task; with a
database elsewhere it is awaited (docs/adr/0003, 0015).
"""

import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple, Protocol

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.identity.model import PULL, Claims, KeyUnread, TokenType
from wharfinger.quotas.http import download_notices
from wharfinger.quotas.model import Level
from wharfinger.registry.fastreads import (
    AwaitedReads,
    FastReads,
    FoundBlob,
    FoundManifest,
    Key,
    ReadFailed,
)
from wharfinger.registry.model.blobs import Headers, blob_headers
from wharfinger.registry.model.collection import young_since
from wharfinger.registry.model.manifests import manifest_headers
from wharfinger.registry.remembered import Answer, Remembered, Wanted
from wharfinger.web.context import Web
from wharfinger.web.exchange import Exchange, new_request_id, request_id
from wharfinger.web.meter import Answered
from wharfinger.web.notices import Notice
from wharfinger.web.sendfile import ClientGone, offered, send_file
from wharfinger_common.refusals import Refusal

_API_VERSION: Final = (b"docker-distribution-api-version", b"registry/2.0")
ROUTES: Final = {
    "manifests": "/v2/{name}/manifests/{reference}",
    "blobs": "/v2/{name}/blobs/{digest}",
}
"""Templates of the ordinary routes, for figures and logs."""

_ORDINARY_HEADERS: Final = frozenset({b"range", b"if-none-match", b"if-match", b"if-range"})


Found = tuple[Headers, bytes]
"""Headers and body of a 200."""


class Tokens(Protocol):
    """Where the fast path has tokens verified; a known one costs a dictionary look-up."""

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Return the claims of a valid token, without blocking."""

    def doubt(self, credential: str) -> None:
        """Look the credential up before it is honoured again."""


class Traffic(Protocol):
    """Where downloads are granted and counted; see `wharfinger.quotas.service.traffic`."""

    def spend(self, region: str, account: str, size: int) -> bool:
        """Grant ``size`` bytes at once; False leaves it to the ordinary route to ask."""

    def level(self, region: str, account: str) -> Level:
        """Return how much of the month's traffic is used, from memory."""


class Files(Protocol):
    """Where blobs are files; see `wharfinger.blobstore.port.BlobStore`."""

    @property
    def path(self) -> Callable[[str], Path | None]:
        """Return the file of a location, None where blobs are no files."""

    @property
    def sealed(self) -> Callable[[str, int], bool]:
        """Whether the file is as the store left it."""


class _Read(NamedTuple):
    """What a path asks for."""

    repository: str
    kind: str
    reference: str


class _Asked(NamedTuple):
    """A plain read, and who asks."""

    read: _Read
    method: str
    claims: Claims

    @property
    def downloads(self) -> bool:
        """Whether it asks for a blob's bytes."""
        return self.read.kind == "blobs" and self.method == "GET"

    @property
    def by_tag(self) -> bool:
        """Whether its manifest is named by a tag."""
        return ":" not in self.read.reference

    @property
    def with_content(self) -> bool:
        """Whether the content is wanted."""
        return self.method == "GET"


class _FoundFile(NamedTuple):
    """A blob's open file and what the answer says of it."""

    file: FileIO
    digest: str
    size: int
    claims: Claims
    notices: tuple[Notice, ...]


class _PlainReads:
    """What both ways share: which requests are plain reads, and how a blob's file is sent."""

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: Tokens,
        files: Files,
        traffic: Traffic,
    ) -> None:
        self._app: Final = app
        self._web: Final = web
        self._tokens: Final = tokens
        self._files: Final = files
        self._traffic: Final = traffic
        regions = web.urls.regions
        self._regions: Final = {host.encode(): one.name for host, one in regions.hosts.items()}
        self._several: Final = regions.only is None

    def _asked(self, scope: Scope) -> _Asked | None:
        """Return what a plain read with a valid token asks for, else None."""
        read = self._plain_read(scope)
        claims = self._claims(scope, read) if read is not None else None
        return None if read is None or claims is None else _Asked(read, scope["method"], claims)

    async def _send(self, scope: Scope, receive: Receive, send: Send, found: _FoundFile) -> None:
        exchange = Exchange(scope, receive, send, self._web.urls)
        exchange.route, exchange.presented.claims = ROUTES["blobs"], found.claims
        exchange.presented.notices = found.notices
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
                if token or value[:7].lower() != b"bearer ":
                    return None
                token = value[7:].decode("latin-1")
            elif name == b"host":
                host = value
            elif name in _ORDINARY_HEADERS:
                return None
        if not token:
            return None
        try:
            claims = self._tokens.verify_at_once(token, TokenType.REGISTRY, "registry")
            if self._several and claims.region != self._region(scope, host):
                return None
        except (KeyUnread, Refusal):
            return None
        plain = claims.grants(read.repository, PULL) and not self._is_warned(claims)
        return claims if plain and self._is_open(claims.region, read.repository) else None

    def _is_open(self, region: str, repository: str) -> bool:
        """Whether every network may pull, as far as that is known now."""
        private = self._web.private
        if private.is_stale():
            return False
        return not private.restricts(region, repository.partition("/")[0])

    def _is_warned(self, claims: Claims) -> bool:
        """Whether the answer carries a warning that the credential ends."""
        if not claims.ends:
            return False
        return claims.ends - self._web.clock() <= self._web.settings.credential_warning_seconds

    def _region(self, scope: Scope, host: bytes) -> str:
        """Return the region that is called; the host may be a proxy's word, or in other form."""
        proxied = self._web.settings.trusted_proxies
        known = None if proxied else self._regions.get(host)
        return known or self._web.urls.region(HTTPConnection(scope))

    def _key(self, asked: _Asked) -> Key:
        key: Key = {
            "region": asked.claims.region,
            "repository": asked.read.repository,
            "reference": asked.read.reference,
            "credential": asked.claims.credential,
        }
        if asked.read.kind == "blobs" and asked.method == "HEAD":
            grace = self._web.settings.collection_grace_seconds
            key["young"] = young_since(self._web.clock(), grace)
        return key

    def _file(self, scope: Scope, asked: _Asked, found: FoundBlob | None) -> _FoundFile | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        file = self._open(scope, found)
        if file is None:
            return None
        if not self._traffic.spend(asked.claims.region, found.account, found.size):
            file.close()
            return None
        claims = asked.claims
        notices = download_notices(self._traffic, claims, claims.region, found.account)
        return _FoundFile(file, asked.read.reference, found.size, claims, notices)

    def _stands(self, claims: Claims, epoch: int | None) -> bool:
        """Whether the credential stands, by what the database says with what it found.

        If not, the ordinary route that is asked next must not know better from memory.
        """
        if epoch == claims.epoch:
            return True
        self._tokens.doubt(claims.credential)
        return False

    def _manifest_found(self, asked: _Asked, found: FoundManifest | None) -> Found | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        headers = manifest_headers(found.digest, found.media_type, found.size)
        return headers, found.content or b""

    def _head_found(self, asked: _Asked, found: FoundBlob | None) -> Found | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        return [*blob_headers(asked.read.reference, found.size), _API_VERSION], b""

    def _open(self, scope: Scope, found: FoundBlob) -> FileIO | None:
        """Return the file to send, where the server can send files and it is there, untouched."""
        path = self._files.path(found.location)
        if path is None or not offered(scope):
            return None
        try:
            file = FileIO(path)
        except OSError:
            return None
        status = os.fstat(file.fileno())
        whole = status.st_size == found.size
        if not (whole and self._files.sealed(found.location, status.st_mtime_ns)):
            file.close()
            return None
        return file


class FastPath(_PlainReads):
    """ASGI layer: answers plain reads itself, hands all else to ``app``."""

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: Tokens,
        reads: FastReads,
        remembered: Remembered,
        files: Files,
        traffic: Traffic,
    ) -> None:
        super().__init__(app, web, tokens, files, traffic)
        self._reads: Final = reads
        self._remembered: Final = remembered
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
        found = self._found_file(scope)
        if found is None:
            await self._app(scope, receive, send)
        else:
            await self._send(scope, receive, send, found)

    def at_once(self, scope: Scope) -> Answer | None:
        """Return header lines and body of a 200 that needs no waiting: all but a blob's bytes.

        Called by the server's protocol before it makes a task of the request.
        """
        started = perf_counter()
        asked = self._asked(scope)
        if asked is None or asked.downloads:
            return None
        try:
            answer = self._manifest(asked) if asked.read.kind == "manifests" else self._head(asked)
        except ReadFailed:
            return None
        if answer is None:
            return None
        lines, body = answer
        identity = self._request_id(scope)
        seconds = perf_counter() - started
        self._shorts[asked.method, asked.read.kind].add(seconds, len(body))
        if self._web.access.all:
            self._log(asked, identity, len(body), seconds)
        return b"%sx-request-id: %s\r\n" % (lines, identity.encode()), body

    def _manifest(self, asked: _Asked) -> Answer | None:
        read, claims = asked.read, asked.claims
        wanted = Wanted(claims.region, read.repository, read.reference, asked.method)
        known = self._remembered.find(claims, wanted)
        if known is not None:
            return known
        found = self._manifest_found(
            asked,
            self._reads.manifest(
                self._key(asked), by_tag=asked.by_tag, with_content=asked.with_content
            ),
        )
        if found is None:
            return None
        answer = _answer(found)
        self._remembered.keep(claims, wanted, answer)
        return answer

    def _head(self, asked: _Asked) -> Answer | None:
        # Not remembered: what it says of a young blob holds for a time only.
        found = self._head_found(asked, self._reads.blob_head(self._key(asked)))
        return None if found is None else _answer(found)

    def _found_file(self, scope: Scope) -> _FoundFile | None:
        """Return the file to answer with, if this is a GET of a blob and the server can send it."""
        asked = self._asked(scope)
        if asked is None or not asked.downloads:
            return None
        try:
            return self._file(scope, asked, self._reads.blob(self._key(asked)))
        except ReadFailed:
            return None

    def _request_id(self, scope: Scope) -> str:
        return request_id(scope, self._web.urls) if self._proxied else new_request_id()

    def _log(self, asked: _Asked, identity: str, size: int, seconds: float) -> None:
        answered = Answered(ROUTES[asked.read.kind], asked.method, 200, "", seconds, 0, size)
        self._web.access.write(identity, asked.claims.account, answered)


class AwaitedFastPath(_PlainReads):
    """The same where the database has to be waited for: nothing is answered at once."""

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: Tokens,
        reads: AwaitedReads,
        files: Files,
        traffic: Traffic,
    ) -> None:
        super().__init__(app, web, tokens, files, traffic)
        self._reads: Final = reads

    def at_once(self, _scope: Scope) -> Answer | None:
        """Return None: a look-up takes longer than the event loop may stand still."""
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3) if it is a plain read, else by the ordinary routes."""
        asked = self._asked(scope)
        if asked is None or not await self._served(scope, receive, send, asked):
            await self._app(scope, receive, send)

    async def _served(self, scope: Scope, receive: Receive, send: Send, asked: _Asked) -> bool:
        exchange = Exchange(scope, receive, send, self._web.urls)
        try:
            if asked.downloads:
                file = self._file(scope, asked, await self._reads.blob(self._key(asked)))
                if file is not None:
                    await self._send(scope, receive, send, file)
                return file is not None
            found = await self._found(asked)
        except ReadFailed:
            return False
        if found is not None:
            await self._send_found(exchange, asked, found)
        return found is not None

    async def _found(self, asked: _Asked) -> Found | None:
        key = self._key(asked)
        if asked.read.kind == "blobs":
            return self._head_found(asked, await self._reads.blob_head(key))
        found = await self._reads.manifest(
            key, by_tag=asked.by_tag, with_content=asked.with_content
        )
        return self._manifest_found(asked, found)

    async def _send_found(self, exchange: Exchange, asked: _Asked, found: Found) -> None:
        headers, body = found
        exchange.route, exchange.presented.claims = ROUTES[asked.read.kind], asked.claims
        self._web.meter.began()
        try:
            start = {"type": "http.response.start", "status": 200, "headers": headers}
            await exchange.send(start)
            await exchange.send({"type": "http.response.body", "body": body})
        finally:
            exchange.end(self._web.meter, self._web.access)


def _answer(found: Found) -> Answer:
    headers, body = found
    return b"".join([b"%s: %s\r\n" % header for header in headers]), body
