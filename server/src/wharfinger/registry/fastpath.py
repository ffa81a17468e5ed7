"""The short path for reading manifests and blobs and for opening uploads, in front of the router.

It answers only the plain case (GET or HEAD with a valid token that grants pull, no conditions,
no ranges; POST of an upload without a query) with one prepared statement, on the event loop;
whatever else comes is left to the ordinary routes, which also word every refusal. So it never says
no, and what it says is byte for byte what the ordinary route would say
(tests/contracts/test_fastpath.py).

With SQLite that takes microseconds and happens at once, before the request is even a task; with a
database elsewhere it is awaited (docs/adr/0003, 0015).
"""

from time import perf_counter
from typing import ClassVar, Final, Protocol

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.registry.fastreads import FastReads, ReadFailed
from wharfinger.registry.model.uploads import (
    Pusher,
    Upload,
    session_headers,
    upload_path,
)
from wharfinger.registry.plainreads import (
    API_VERSION,
    OPENINGS,
    READS,
    ROUTES,
    Asked,
    Files,
    Found,
    FoundFile,
    Kinds,
    PlainReads,
    ReadTokens,
    Traffic,
)
from wharfinger.registry.remembered import Answer, Remembered, Wanted
from wharfinger.web.at_once import AtOnce
from wharfinger.web.context import Web
from wharfinger.web.exchange import new_request_id, request_id
from wharfinger.web.meter import Answered
from wharfinger_common.names import namespace_of, require_repository
from wharfinger_common.refusals import Refusal

_STATUS: Final = {"manifests": 200, "blobs": 200, "uploads": 202}


class Openings(Protocol):
    """Opens upload sessions; see `wharfinger.registry.service.uploads.Uploads`."""

    def open_at_once(self, pusher: Pusher, account: str) -> Upload | None:
        """Open a session without waiting; None where that cannot be."""


class FastPath(PlainReads):
    """ASGI layer: answers plain requests itself, hands all else to ``app``."""

    _kinds: ClassVar[Kinds] = {**READS, **OPENINGS}

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: ReadTokens,
        reads: FastReads,
        remembered: Remembered,
        files: Files,
        traffic: Traffic,
        openings: Openings,
    ) -> None:
        super().__init__(app, web, tokens, files, traffic)
        self._reads: Final = reads
        self._remembered: Final = remembered
        self._openings: Final = openings
        self._shorts: Final = {
            (method, kind): web.meter.short(ROUTES[kind], method)
            for method, kind in (
                ("GET", "manifests"),
                ("HEAD", "manifests"),
                ("HEAD", "blobs"),
                ("POST", "uploads"),
            )
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

    def at_once(self, scope: Scope) -> AtOnce | None:
        """Return status, header lines and body where no waiting is needed: not for a blob's bytes.

        Called by the server's protocol before it makes a task of the request.
        """
        started = perf_counter()
        asked = self._asked(scope)
        if asked is None or asked.downloads:
            return None
        try:
            answer = self._answer(scope, asked)
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
        status = _STATUS[asked.read.kind]
        return status, b"%sx-request-id: %s\r\n" % (lines, identity.encode()), body

    def _answer(self, scope: Scope, asked: Asked) -> Answer | None:
        if asked.read.kind == "manifests":
            return self._manifest(asked)
        return self._head(asked) if asked.read.kind == "blobs" else self._opened(scope, asked)

    def _manifest(self, asked: Asked) -> Answer | None:
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

    def _head(self, asked: Asked) -> Answer | None:
        # Not remembered: what it says of a young blob holds for a time only.
        found = self._head_found(asked, self._reads.blob_head(self._key(asked)))
        return None if found is None else _answer(found)

    def _opened(self, scope: Scope, asked: Asked) -> Answer | None:
        """Open an upload session, which writes nothing."""
        repository, claims = asked.read.repository, asked.claims
        found = self._reads.owner(
            {
                "region": claims.region,
                "namespace": namespace_of(repository),
                "credential": claims.credential,
            }
        )
        if found is None or not self._stands(claims, found.epoch):
            return None
        try:
            path = upload_path(require_repository(repository), "")
            base = self._web.urls.location(HTTPConnection(scope), path)
        except Refusal:
            return None
        pusher = Pusher(claims.region, repository, claims.subject)
        upload = self._openings.open_at_once(pusher, found.account)
        if upload is None:
            return None
        told = session_headers(base + upload.id, upload, self._web.settings.chunk_min_bytes)
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        return _answer(([*headers, (b"content-length", b"0"), API_VERSION], b""))

    def _found_file(self, scope: Scope) -> FoundFile | None:
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

    def _log(self, asked: Asked, identity: str, size: int, seconds: float) -> None:
        status = _STATUS[asked.read.kind]
        answered = Answered(ROUTES[asked.read.kind], asked.method, status, "", seconds, 0, size)
        self._web.access.write(identity, asked.claims.account, answered)


def _answer(found: Found) -> Answer:
    headers, body = found
    return b"".join([b"%s: %s\r\n" % header for header in headers]), body
