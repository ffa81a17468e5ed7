"""Blobs over HTTP (OCI distribution 1.1, end-2 and end-10; ranges as in RFC 9110 section 14)."""

import asyncio
from collections.abc import Callable, Iterator
from io import FileIO
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wharfinger.blobstore.port import BlobReader
from wharfinger.identity.model import DELETE, PULL, Claims
from wharfinger.quotas.http import download_notices
from wharfinger.registry.http.conditions import has_already
from wharfinger.registry.http.transfer import insist
from wharfinger.registry.model.blobs import (
    Blob,
    Headers,
    RangeUnsatisfiable,
    Slice,
    Unsatisfiable,
    blob_headers,
    not_modified_headers,
    slice_headers,
    wanted_part,
)
from wharfinger.registry.service.blobs import Blobs
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.sendfile import offered, send_file
from wharfinger.web.threads import Threads
from wharfinger.web.witness import notice
from wharfinger_common.digests import Digest
from wharfinger_common.names import require_repository

PATH: Final = "/v2/{name:path}/blobs/{digest}"


def routes(blobs: Blobs, gate: Gate, web: Web) -> list[Route]:
    """Return the routes of blobs."""
    handlers = _Handlers(blobs, gate, web)
    # One route, so that a 405 tells all the methods there are.
    return [Route(PATH, handlers.serve, methods=["GET", "HEAD", "DELETE"])]


class _Handlers:
    def __init__(self, blobs: Blobs, gate: Gate, web: Web) -> None:
        self._blobs: Final = blobs
        self._traffic: Final = blobs.traffic
        self._gate: Final = gate
        self._threads: Final = web.threads
        settings = web.settings
        self._redirect_seconds: Final = (
            settings.blobs_redirect_seconds if settings.blobs_redirect else 0
        )
        self._by_method: Final = {"GET": self.get, "HEAD": self.head, "DELETE": self.delete}

    async def serve(self, request: Request) -> Response:
        return await self._by_method[request.method](request)

    async def head(self, request: Request) -> Response:
        """Tell that the blob is there, and its size; ranges mean nothing to a HEAD."""
        _, blob = await self._find(request, self._blobs.promise)
        if has_already(request, blob.digest):
            return _headers_only(304, not_modified_headers(blob.digest))
        return _headers_only(200, blob_headers(blob.digest, blob.size))

    async def get(self, request: Request) -> Response:
        """Send the blob, or the one part of it that is asked for, if the traffic quota allows."""
        claims, blob = await self._find(request, self._blobs.find)
        if has_already(request, blob.digest):
            return _headers_only(304, not_modified_headers(blob.digest))
        header = request.headers.get
        part = wanted_part(header("range", ""), header("if-range", ""), blob.digest, blob.size)
        if isinstance(part, Unsatisfiable):
            where = {"Content-Range": f"bytes */{blob.size}"}
            raise RangeUnsatisfiable(size=blob.size, headers=where)
        url = await self._url(blob)
        # Elsewhere nobody counts what is taken: a redirect counts whole.
        sliced = part if isinstance(part, Slice) and url is None else None
        size = sliced.length if sliced else blob.size
        await self._grant(claims.region, blob.account, size)
        notice(request, *download_notices(self._traffic, claims, blob.account))
        if url is not None:
            return _elsewhere(url, blob)
        if isinstance(part, Slice):
            headers = slice_headers(blob.digest, blob.size, part)
            return await self._send(request, 206, headers, blob, part)
        headers = blob_headers(blob.digest, blob.size)
        return await self._send(request, 200, headers, blob, Slice(0, blob.size - 1))

    async def _url(self, blob: Blob) -> str | None:
        """Return where the blob's bytes can be had, if clients are sent there."""
        if not self._redirect_seconds:
            return None
        return await self._threads.run(self._blobs.url, blob, self._redirect_seconds)

    async def delete(self, request: Request) -> Response:
        """Take the blob out of the repository."""
        repository, digest = _target(request)
        claims = await self._gate.authorize(request, repository, DELETE)
        await self._threads.run(self._blobs.delete, claims.region, repository, digest)
        return Response(status_code=202)

    async def _find(
        self, request: Request, find: Callable[[str, str, Digest], Blob]
    ) -> tuple[Claims, Blob]:
        """Return who asks, and the blob in the region that is called."""
        repository, digest = _target(request)
        claims = await self._gate.authorize(request, repository, PULL)
        blob = await self._threads.run(find, claims.region, repository, digest)
        return claims, blob

    async def _grant(self, region: str, account: str, size: int) -> None:
        """Let ``size`` bytes be sent; they count from here, whatever becomes of them.

        Raises:
            TrafficExceeded: the account's traffic quota of this month is reached.
        """
        if not self._traffic.spend(region, account, size):
            await self._threads.run(self._traffic.grant, region, account, size)

    async def _send(
        self, request: Request, status: int, headers: Headers, blob: Blob, part: Slice
    ) -> Response:
        if offered(request.scope):
            file = await self._threads.run(self._blobs.file, blob)
            if file is not None:
                return FileAnswer(status, headers, file, part)
        reader = await self._threads.run(self._blobs.open, blob, part.first, part.length)
        pieces = self._blobs.pieces(blob, reader, part.first, part.length)
        return StreamAnswer(status, headers, self._threads, reader, pieces)


class FileAnswer(Response):
    """A part of a blob, which the server sends from its file."""

    def __init__(self, status: int, headers: Headers, file: FileIO, part: Slice) -> None:
        super().__init__(status_code=status)
        self.raw_headers = headers
        self._file: Final = file
        self._part: Final = part

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer (ASGI 3)."""
        with self._file:
            await send(_start(self.status_code, self.raw_headers))
            await send_file(send, self._file, self._part.first, self._part.length)


class StreamAnswer(Response):
    """A part of a blob, read in threads: one piece is sent while the next one is read.

    It closes the reader that the pieces come from.
    """

    def __init__(
        self,
        status: int,
        headers: Headers,
        threads: Threads,
        reader: BlobReader,
        pieces: Iterator[bytes],
    ) -> None:
        super().__init__(status_code=status)
        self.raw_headers = headers
        self._threads: Final = threads
        self._reader: Final = reader
        self._pieces: Final = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer (ASGI 3); ends early once the client is gone.

        A store that fails before the first piece gets its refusal told; later, the connection is
        cut short, so that no client takes a part for the whole.
        """
        del scope
        reading = self._read()
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.shield(reading)
            await send(_start(self.status_code, self.raw_headers))
            while (piece := await asyncio.shield(reading)) is not None and not gone.done():
                reading = self._read()
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if piece is None:
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            # A thread may still read ahead; only then may the reader be closed.
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()
            self._reader.close()

    def _read(self) -> "asyncio.Task[bytes | None]":
        return asyncio.create_task(insist(self._threads, _next, self._pieces))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _start(status: int, headers: Headers) -> dict[str, object]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _target(request: Request) -> tuple[str, Digest]:
    repository = require_repository(request.path_params["name"])
    return repository, Digest.parse(request.path_params["digest"])


def _elsewhere(url: str, blob: Blob) -> Response:
    """Send the client to the store. The URL lets anybody in: nobody may keep it for others."""
    headers = {
        "Location": url,
        "Docker-Content-Digest": blob.digest,
        "Cache-Control": "private, no-store",
    }
    return Response(status_code=307, headers=headers)


def _headers_only(status: int, headers: Headers) -> Response:
    response = Response(status_code=status)
    response.raw_headers = headers
    return response
