"""Uploads over HTTP (OCI distribution 1.1, end-4 to end-6, end-11, end-13, end-14)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.identity.model import PULL, PUSH, Claims
from wharfinger.registry.http.transfer import Feed, insist, pump
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import (
    DEFAULT_ALGORITHM,
    ContentRange,
    DigestMissing,
    Pusher,
    Upload,
    blob_path,
    parse_content_range,
    session_headers,
    upload_path,
)
from wharfinger.registry.service.uploads import Uploads
from wharfinger.web.at_once import raise_failed
from wharfinger.web.authentication import (
    INSUFFICIENT_SCOPE,
    AccessDenied,
    AuthenticationRequired,
    Gate,
    scope_missing,
)
from wharfinger.web.bodies import BodyIncomplete, TooSlow
from wharfinger.web.context import Web
from wharfinger_common.digests import Digest
from wharfinger_common.names import NameInvalid, require_repository
from wharfinger_common.refusals import Refusal

SESSIONS: Final = "/v2/{name:path}/blobs/uploads/"
SESSION: Final = "/v2/{name:path}/blobs/uploads/{upload}"
_MOUNT_CANDIDATES: Final = 5
_RENEWALS: Final = 3


def routes(uploads: Uploads, gate: Gate, web: Web) -> list[Route]:
    """Return the routes of uploads; they have to stand before those of blobs."""
    handlers = _Handlers(uploads, gate, web)
    return [
        Route(SESSIONS, handlers.start, methods=["POST"]),
        Route(SESSIONS.rstrip("/"), handlers.start, methods=["POST"]),
        Route(SESSION, handlers.serve, methods=["GET", "PATCH", "PUT", "DELETE"]),
    ]


class _Handlers:
    def __init__(self, uploads: Uploads, gate: Gate, web: Web) -> None:
        self._uploads: Final = uploads
        self._gate: Final = gate
        self._web: Final = web
        self._run: Final = web.threads.run
        self._renew_seconds: Final = web.settings.upload_lease_seconds / _RENEWALS
        self._by_method: Final = {
            "GET": self.status,
            "HEAD": self.status,
            "PATCH": self.append,
            "PUT": self.finish,
            "DELETE": self.cancel,
        }

    async def serve(self, request: Request) -> Response:
        return await self._by_method[request.method](request)

    async def start(self, request: Request) -> Response:
        """Open a session, or push or mount a blob at once."""
        claims, pusher = await self._enter(request)
        query = request.query_params
        if "mount" in query:
            digest = _digest(request, "mount")
            blob = await self._mount(request, claims, pusher, digest)
            if blob is not None:
                return self._created(request, pusher, blob)
        elif "digest" in query:
            blob = await self._push(request, pusher, _digest(request, "digest"))
            return self._created(request, pusher, blob)
        algorithm = query.get("digest-algorithm", DEFAULT_ALGORITHM)
        upload = await self._run(self._uploads.open, pusher, algorithm)
        return self._accepted(request, pusher, upload, smallest=self._web.settings.chunk_min_bytes)

    async def status(self, request: Request) -> Response:
        """Tell how far a session stands."""
        _, pusher = await self._enter(request)
        upload = await self._run(self._uploads.status, pusher, _id(request))
        return self._accepted(request, pusher, upload, status=204)

    async def cancel(self, request: Request) -> Response:
        """End a session without a blob."""
        _, pusher = await self._enter(request)
        await self._run(self._uploads.cancel, pusher, _id(request))
        return Response(status_code=204)

    async def append(self, request: Request) -> Response:
        """Take a chunk, or a stream of unknown length; what arrives of it counts at once."""
        _, pusher = await self._enter(request)
        chunk, feed = _chunk(request), self._feed(request)
        await self._foresee(request, pusher, chunk, feed)
        try:
            more = await feed.fill()
        except (BodyIncomplete, TooSlow):
            await self._salvage(pusher, _id(request), feed.take(), chunk)
            raise
        if more:
            upload = await self._stream_chunk(pusher, _id(request), feed, chunk)
        else:
            upload = await self._run(self._uploads.append, pusher, _id(request), feed.take(), chunk)
        return self._accepted(request, pusher, upload)

    async def finish(self, request: Request) -> Response:
        """End a session with its blob; a last chunk may come with the request."""
        _, pusher = await self._enter(request)
        if "digest" not in request.query_params:
            raise DigestMissing
        digest = _digest(request, "digest")
        chunk, feed = _chunk(request), self._feed(request)
        await self._foresee(request, pusher, chunk, feed)
        if await feed.fill():
            blob = await self._stream_whole(pusher, _id(request), feed, chunk, digest)
        else:
            blob = await self._run(
                self._uploads.finish, pusher, _id(request), digest, feed.take(), chunk
            )
        return self._created(request, pusher, blob)

    async def _push(self, request: Request, pusher: Pusher, digest: Digest) -> Blob:
        feed = self._feed(request)
        if not await feed.fill():
            return await self._run(self._uploads.push, pusher, digest, feed.take())
        upload = await self._run(self._uploads.open, pusher, digest.algorithm, admit=False)
        try:
            return await self._stream_whole(pusher, upload.id, feed, None, digest)
        except BaseException:
            # Nobody else knows the session. It may have ended by itself.
            await insist(self._web.threads, self._uploads.forget, pusher, upload.id)
            raise

    async def _stream_whole(
        self,
        pusher: Pusher,
        upload: str,
        feed: Feed,
        chunk: ContentRange | None,
        digest: Digest,
    ) -> Blob:
        threads = self._web.threads
        reception = await self._run(
            self._uploads.receive, pusher, upload, chunk, keeps=False, announced=feed.announced
        )
        try:
            await pump(feed, reception, threads, self._renew_seconds)
        except BaseException:
            await insist(threads, reception.abandon, keep=False)
            raise
        return await insist(threads, self._uploads.complete, pusher, reception, digest, chunk)

    async def _stream_chunk(
        self, pusher: Pusher, upload: str, feed: Feed, chunk: ContentRange | None
    ) -> Upload:
        threads = self._web.threads
        reception = await self._run(
            self._uploads.receive, pusher, upload, chunk, keeps=True, announced=feed.announced
        )
        try:
            await pump(feed, reception, threads, self._renew_seconds)
        except (BodyIncomplete, TooSlow):
            await insist(threads, reception.abandon, feed.take())
            raise
        except BaseException:
            await insist(threads, reception.abandon)
            raise
        return await insist(threads, self._uploads.acknowledge, reception, chunk)

    async def _salvage(
        self, pusher: Pusher, upload: str, pieces: list[bytes], chunk: ContentRange | None
    ) -> None:
        if pieces:
            await self._run(self._uploads.salvage, pusher, upload, pieces, chunk)

    async def _mount(
        self, request: Request, claims: Claims, pusher: Pusher, digest: Digest
    ) -> Blob | None:
        """Mount from what the token lets the caller pull; None where a session has to do.

        Where policy would allow more than the token, the challenge asks for the wider token:
        a token is never widened on the way.
        """
        source = request.query_params.get("from", "")
        granted = [name for name in claims.access if claims.grants(name, PULL)]
        sources = [name for name in granted if source in {"", name}]
        blob = await self._run(self._uploads.mount, pusher, digest, sources)
        if blob is None and source not in granted:
            await self._ask_for_scope(request, claims, pusher, digest, source)
        return blob

    async def _ask_for_scope(
        self, request: Request, claims: Claims, pusher: Pusher, digest: Digest, source: str
    ) -> None:
        """Challenge if with a wider token the blob could be mounted, else return.

        Whether a repository that is named has the blob is looked up only for who may read there:
        for anybody else the time that it takes would tell.
        """
        find = self._uploads.candidates
        wider = await self._wider(request, claims, pusher, source) if source else None
        if source and wider is None:
            return
        for name in await self._run(find, pusher, digest, source, _MOUNT_CANDIDATES):
            wider = wider or await self._wider(request, claims, pusher, name)
            if wider is not None:
                raise wider

    async def _wider(
        self, request: Request, claims: Claims, pusher: Pusher, source: str
    ) -> Refusal | None:
        """Return the challenge to get pull on ``source``, if the caller could."""
        try:
            require_repository(source)
            await self._gate.authorize(request, source, PULL)
        except AuthenticationRequired as refusal:
            if refusal.challenge is None or refusal.challenge.error != INSUFFICIENT_SCOPE:
                return None
            scope = f"repository:{pusher.repository}:{PULL},{PUSH} repository:{source}:{PULL}"
            return scope_missing(claims, source, scope)
        except (AccessDenied, NameInvalid):
            pass
        return None

    async def _foresee(
        self, request: Request, pusher: Pusher, chunk: ContentRange | None, feed: Feed
    ) -> None:
        """Refuse before the body comes, if the client waits to hear (RFC 9110, 10.1.1)."""
        if "expect" in request.headers:
            await self._run(self._uploads.foresee, pusher, _id(request), chunk, feed.announced)

    async def _enter(self, request: Request) -> tuple[Claims, Pusher]:
        repository = require_repository(request.path_params["name"])
        claims = await self._gate.authorize(request, repository, PULL, PUSH)
        raise_failed(request.scope)
        return claims, Pusher(claims.region, repository, claims.subject)

    def _feed(self, request: Request) -> Feed:
        settings = self._web.settings
        return Feed(request, settings.body_stall_seconds, settings.blob_bytes)

    def _accepted(
        self,
        request: Request,
        pusher: Pusher,
        upload: Upload,
        status: int = 202,
        smallest: int = 0,
    ) -> Response:
        location = self._web.urls.location(request, upload_path(pusher.repository, upload.id))
        return Response(status_code=status, headers=session_headers(location, upload, smallest))

    def _created(self, request: Request, pusher: Pusher, blob: Blob) -> Response:
        path = blob_path(pusher.repository, blob.digest)
        headers = {
            "Location": self._web.urls.location(request, path),
            "Docker-Content-Digest": blob.digest,
        }
        return Response(status_code=201, headers=headers)


def _id(request: Request) -> str:
    upload: str = request.path_params["upload"]
    return upload


def _digest(request: Request, name: str) -> Digest:
    """Return the digest of a parameter; given twice it is none, as nobody knows which is meant."""
    return Digest.parse(",".join(request.query_params.getlist(name)))


def _chunk(request: Request) -> ContentRange | None:
    header = request.headers.get("content-range")
    return None if header is None else parse_content_range(header)
