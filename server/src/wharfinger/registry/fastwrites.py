"""The short path for small parts of uploads and their ends, in front of the router.

It takes the plain case: PATCH without a range, PUT with a digest and nothing else, with a body of
at most one buffer and a token that grants it and was found to stand a moment ago. The work is that
of the ordinary route (`registry.http.uploads`), in the same threads; what it refuses, that route
words. All other requests are left to it (tests/contracts/test_fastwrites.py).
"""

import re
from time import perf_counter
from typing import Final, NamedTuple, Protocol

from starlette.requests import HTTPConnection
from starlette.types import Scope

from wharfinger.blobstore.names import is_upload
from wharfinger.identity.model import PULL, PUSH, Claims
from wharfinger.registry.admission import Admission, Tokens
from wharfinger.registry.http.transfer import BUFFER
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import (
    ContentRange,
    Pusher,
    Upload,
    blob_path,
    session_headers,
    upload_path,
)
from wharfinger.web.at_once import AtOnce, Job
from wharfinger.web.context import Web
from wharfinger.web.exchange import request_id
from wharfinger.web.meter import Answered
from wharfinger_common.digests import Digest, DigestInvalid
from wharfinger_common.names import require_repository
from wharfinger_common.refusals import Refusal

ROUTE: Final = "/v2/{name}/blobs/uploads/{upload}"
"""Template of the ordinary route, for figures and logs."""

_ALWAYS: Final = {"Content-Length": "0", "Docker-Distribution-API-Version": "registry/2.0"}
_METHODS: Final = ("PATCH", "PUT")
_LENGTH_DIGITS: Final = 10
_PATH: Final = re.compile(r"/v2/(.+)/blobs/uploads/([0-9a-f-]{36})")
_DIGEST: Final = re.compile(rb"digest=([a-z0-9]+)(?::|%3[Aa])([0-9a-f]+)")
_ORDINARY_HEADERS: Final = frozenset({b"content-range", b"content-encoding", b"trailer"})


class WriteTokens(Tokens, Protocol):
    """Tokens whose credentials are known from memory, or not."""

    def remembers_current(self, claims: Claims) -> bool:
        """Whether the credential was found to stand a moment ago."""


class Pushes(Protocol):
    """What is done; see `wharfinger.registry.service.uploads.Uploads`. Blocking."""

    def append(
        self, pusher: Pusher, upload: str, pieces: list[bytes], chunk: ContentRange | None
    ) -> Upload:
        """Take a small chunk."""

    def finish(
        self,
        pusher: Pusher,
        upload: str,
        digest: Digest,
        pieces: list[bytes],
        chunk: ContentRange | None,
    ) -> Blob:
        """End the session with its blob."""


class Asked(NamedTuple):
    """A plain write, and who asks; ``base`` is the URL of the host that was called.

    Without a digest it is a chunk, with one the end of the session ``upload``.
    """

    claims: Claims
    base: str
    pusher: Pusher
    upload: str
    digest: Digest | None


class FastWrites:
    """Tells which requests are plain writes; for the event loop."""

    def __init__(self, web: Web, tokens: WriteTokens, pushes: Pushes) -> None:
        self.web: Final = web
        self.pushes: Final = pushes
        self.counted: Final = {method: web.meter.short(ROUTE, method) for method in _METHODS}
        self._tokens: Final = tokens
        self._admission: Final = Admission(web, tokens, _ORDINARY_HEADERS)

    def intake(self, scope: Scope) -> Job | None:
        """Return the job that a plain write is, None for anything else; see `web.at_once`."""
        method: str = scope["method"]
        if method not in _METHODS or b"%" in scope["raw_path"] or self.web.draining():
            return None
        found = _PATH.fullmatch(scope["path"])
        if found is None or not is_upload(found[2]) or not _is_short(scope):
            return None
        query: bytes = scope["query_string"]
        digest = _digest(query) if method == "PUT" else None
        if digest is None and (method == "PUT" or query):
            return None
        asked = self._asked(scope, found[1], found[2], digest)
        return None if asked is None else _Write(self, scope, asked)

    def _asked(
        self, scope: Scope, repository: str, upload: str, digest: Digest | None
    ) -> Asked | None:
        claims = self._admission.claims(scope, repository, PULL, PUSH)
        if claims is None or not self._tokens.remembers_current(claims):
            return None
        try:
            pusher = Pusher(claims.region, require_repository(repository), claims.subject)
            base = self.web.urls.location(HTTPConnection(scope), "")
        except Refusal:
            return None
        return Asked(claims, base, pusher, upload, digest)


class _Write:
    """The `Job` of a plain write."""

    def __init__(self, writes: FastWrites, scope: Scope, asked: Asked) -> None:
        self._web: Final = writes.web
        self._pushes: Final = writes.pushes
        self._counted: Final = writes.counted[scope["method"]]
        self._scope: Final = scope
        self._asked: Final = asked
        self._started: Final = perf_counter()

    def work(self, body: bytes) -> AtOnce:
        """Do it, as the ordinary route would; see `web.at_once`."""
        _, base, pusher, upload, digest = self._asked
        pieces = [body] if body else []
        if digest is None:
            stands = self._pushes.append(pusher, upload, pieces, None)
            location = base + upload_path(pusher.repository, stands.id)
            return 202, self._lines(session_headers(location, stands)), b""
        blob = self._pushes.finish(pusher, upload, digest, pieces, None)
        location = base + blob_path(pusher.repository, blob.digest)
        return 201, self._lines({"Location": location, "Docker-Content-Digest": blob.digest}), b""

    def begun(self) -> None:
        """Count it as under way; see `web.at_once`."""
        self._counted.under_way += 1

    def failed(self) -> None:
        """Leave it to the ordinary route, which counts for itself; see `web.at_once`."""
        self._counted.under_way -= 1

    def answered(self, body: int, answer: AtOnce) -> None:
        """Count it, and log it if all is logged; see `web.at_once`."""
        seconds = perf_counter() - self._started
        self._counted.under_way -= 1
        self._counted.add(seconds, 0, body)
        if self._web.access.all:
            told = Answered(ROUTE, self._scope["method"], answer[0], "", seconds, body, 0)
            self._web.access.write(self._identity, self._asked.claims.account, told)

    @property
    def _identity(self) -> str:
        """The request's id."""
        if "request_id" not in self._scope:
            self._scope["request_id"] = request_id(self._scope, self._web.urls)
        identity: str = self._scope["request_id"]
        return identity

    def _lines(self, told: dict[str, str]) -> bytes:
        headers = {**told, **_ALWAYS, "X-Request-Id": self._identity}
        return "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()]).encode()


def _is_short(scope: Scope) -> bool:
    """Whether the body is not known to be longer than one buffer."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return len(value) < _LENGTH_DIGITS and value.isdigit() and int(value) <= BUFFER
    return True


def _digest(query: bytes) -> Digest | None:
    """Return the digest of a query that holds nothing else."""
    found = _DIGEST.fullmatch(query)
    if found is None:
        return None
    try:
        return Digest.parse(f"{found[1].decode()}:{found[2].decode()}")
    except DigestInvalid:
        return None
