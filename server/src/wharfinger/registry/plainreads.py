"""Plain reads: what both ways of the fast path take for one, and how a blob's file is sent."""

import os
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import ClassVar, Final, NamedTuple, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.identity.model import PULL, PUSH, Claims
from wharfinger.quotas.http import download_notices
from wharfinger.quotas.model import Level
from wharfinger.registry.admission import Admission, Tokens
from wharfinger.registry.fastreads import FoundBlob, FoundManifest, Key
from wharfinger.registry.model.blobs import Headers, blob_headers
from wharfinger.registry.model.collection import young_since
from wharfinger.registry.model.manifests import manifest_headers
from wharfinger.web.context import Web
from wharfinger.web.exchange import Exchange
from wharfinger.web.notices import Notice
from wharfinger.web.sendfile import ClientGone, offered, send_file

API_VERSION: Final = (b"docker-distribution-api-version", b"registry/2.0")
ROUTES: Final = {
    "manifests": "/v2/{name}/manifests/{reference}",
    "blobs": "/v2/{name}/blobs/{digest}",
    "uploads": "/v2/{name}/blobs/uploads/",
}
"""Templates of the ordinary routes, for figures and logs."""

ACTIONS: Final = {"manifests": (PULL,), "blobs": (PULL,), "uploads": (PULL, PUSH)}
"""What a token has to grant."""

_ORDINARY_HEADERS: Final = frozenset({b"range", b"if-none-match", b"if-match", b"if-range"})


Found = tuple[Headers, bytes]
"""Headers and body of a 200."""


class ReadTokens(Tokens, Protocol):
    """Tokens whose credentials the database is asked for with what is read."""

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


class PlainRead(NamedTuple):
    """What a path asks for."""

    repository: str
    kind: str
    reference: str


class Asked(NamedTuple):
    """A plain read, and who asks."""

    read: PlainRead
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


class FoundFile(NamedTuple):
    """A blob's open file and what the answer says of it."""

    file: FileIO
    digest: str
    size: int
    claims: Claims
    notices: tuple[Notice, ...]


Kinds = Mapping[str, frozenset[str]]
"""What may be asked for plainly, by method."""

_READ: Final = frozenset({"manifests", "blobs"})
READS: Final[Kinds] = {"GET": _READ, "HEAD": _READ}
OPENINGS: Final[Kinds] = {"POST": frozenset({"uploads"})}


class PlainReads:
    """What both ways share: which requests are plain, and how a blob's file is sent."""

    _kinds: ClassVar[Kinds] = READS

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: ReadTokens,
        files: Files,
        traffic: Traffic,
    ) -> None:
        self._app: Final = app
        self._web: Final = web
        self._tokens: Final = tokens
        self._files: Final = files
        self._traffic: Final = traffic
        self._admission: Final = Admission(web, tokens, _ORDINARY_HEADERS)

    def _asked(self, scope: Scope) -> Asked | None:
        """Return what a plain read with a valid token asks for, else None."""
        read = self._plain_read(scope)
        if read is None:
            return None
        claims = self._admission.claims(scope, read.repository, *ACTIONS[read.kind])
        return None if claims is None else Asked(read, scope["method"], claims)

    async def _send(self, scope: Scope, receive: Receive, send: Send, found: FoundFile) -> None:
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

    def _plain_read(self, scope: Scope) -> PlainRead | None:
        kinds = self._kinds.get(scope["method"]) if scope["type"] == "http" else None
        if kinds is None:
            return None
        path: str = scope["path"]
        if not path.startswith("/v2/") or b"%" in scope["raw_path"] or self._web.draining():
            return None
        head, _, reference = path.rpartition("/")
        repository, _, kind = head[4:].rpartition("/")
        if kind == "uploads":
            # The id of a session would stand here; what is asked for is a new one.
            repository, _, parent = repository.rpartition("/")
            named = parent == "blobs" and not reference
        else:
            named = bool(reference)
        if kind not in kinds or not repository or not named:
            return None
        return PlainRead(repository, kind, reference)

    def _key(self, asked: Asked) -> Key:
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

    def _file(self, scope: Scope, asked: Asked, found: FoundBlob | None) -> FoundFile | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        file = self._open(scope, found)
        if file is None:
            return None
        if not self._traffic.spend(asked.claims.region, found.account, found.size):
            file.close()
            return None
        claims = asked.claims
        notices = download_notices(self._traffic, claims, found.account)
        return FoundFile(file, asked.read.reference, found.size, claims, notices)

    def _stands(self, claims: Claims, epoch: int | None) -> bool:
        """Whether the credential stands, by what the database says with what it found.

        If not, the ordinary route that is asked next must not know better from memory.
        """
        if epoch == claims.epoch:
            return True
        self._tokens.doubt(claims.credential)
        return False

    def _manifest_found(self, asked: Asked, found: FoundManifest | None) -> Found | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        headers = manifest_headers(found.digest, found.media_type, found.size)
        return headers, found.content or b""

    def _head_found(self, asked: Asked, found: FoundBlob | None) -> Found | None:
        if found is None or not self._stands(asked.claims, found.epoch):
            return None
        return [*blob_headers(asked.read.reference, found.size), API_VERSION], b""

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
