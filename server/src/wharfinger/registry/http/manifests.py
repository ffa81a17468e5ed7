"""Manifests over HTTP (OCI distribution 1.1, end-3, end-7, end-9)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.identity.model import DELETE, PULL, PUSH
from wharfinger.registry.http.conditions import has_already
from wharfinger.registry.model.manifests import (
    DEPRECATED,
    ManifestTooLarge,
    StoredManifest,
    manifest_headers,
    not_modified_headers,
)
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.service.manifests import Manifests, Push, Pushed
from wharfinger.web.authentication import Gate
from wharfinger.web.bodies import BodyTooLarge, read_body
from wharfinger.web.context import Web
from wharfinger.web.notices import Notice, advice
from wharfinger.web.witness import notice
from wharfinger_common.catalogue import notices as entries
from wharfinger_common.names import require_repository

PATH: Final = "/v2/{name:path}/manifests/{reference}"


def routes(manifests: Manifests, gate: Gate, web: Web) -> list[Route]:
    """Return the routes of manifests."""
    handlers = _Handlers(manifests, gate, web)
    # One route, so that a 405 tells all the methods there are.
    return [Route(PATH, handlers.serve, methods=["GET", "HEAD", "PUT", "DELETE"])]


class _Handlers:
    def __init__(self, manifests: Manifests, gate: Gate, web: Web) -> None:
        self._manifests: Final = manifests
        self._gate: Final = gate
        self._web: Final = web
        self._by_method: Final = {
            "GET": self.get,
            "HEAD": self.head,
            "PUT": self.put,
            "DELETE": self.delete,
        }

    async def serve(self, request: Request) -> Response:
        return await self._by_method[request.method](request)

    async def get(self, request: Request) -> Response:
        place = await self._enter(request, PULL)
        reference = request.path_params["reference"]
        found = await self._web.threads.run(self._manifests.get, place, reference)
        return _answer(request, found)

    async def head(self, request: Request) -> Response:
        place = await self._enter(request, PULL)
        reference = request.path_params["reference"]
        found = await self._web.threads.run(self._manifests.head, place, reference)
        return _answer(request, found)

    async def put(self, request: Request) -> Response:
        place = await self._enter(request, PULL, PUSH)
        push = Push(
            reference=request.path_params["reference"],
            content=await self._body(request),
            content_type=request.headers.get("content-type", ""),
            tags=request.query_params.getlist("tag"),
        )
        pushed, notices = await self._web.threads.run(self._push, place, push)
        notice(request, *notices)
        path = f"/v2/{place.repository}/manifests/{pushed.digest}"
        return _created(self._web.urls.location(request, path), pushed)

    def _push(self, place: Place, push: Push) -> tuple[Pushed, list[Notice]]:
        pushed = self._manifests.put(place, push)
        notices = list(advice(self._web.adviser, place.region, place.repository))
        if pushed.media_type in DEPRECATED:
            facts = {"type": pushed.media_type}
            notices.append(Notice(entries.MANIFEST_TYPE_DEPRECATED, facts))
        return pushed, notices

    async def delete(self, request: Request) -> Response:
        place = await self._enter(request, DELETE)
        await self._web.threads.run(self._manifests.delete, place, request.path_params["reference"])
        return Response(status_code=202)

    async def _enter(self, request: Request, *actions: str) -> Place:
        repository = require_repository(request.path_params["name"])
        claims = await self._gate.authorize(request, repository, *actions)
        return Place(claims.region, repository)

    async def _body(self, request: Request) -> bytes:
        settings = self._web.settings
        limit = settings.manifest_bytes
        try:
            return await read_body(request, limit, "manifest_bytes", settings.body_stall_seconds)
        except BodyTooLarge as refusal:
            raise ManifestTooLarge(limit=limit, headers=refusal.headers) from None


def _answer(request: Request, found: StoredManifest) -> Response:
    if has_already(request, found.digest):
        response = Response(status_code=304)
        response.raw_headers = not_modified_headers(found.digest)
        return response
    response = Response(found.content)
    response.raw_headers = manifest_headers(found.digest, found.media_type, found.size)
    return response


def _created(location: str, pushed: Pushed) -> Response:
    headers = {"Location": location, "Docker-Content-Digest": pushed.digest}
    if pushed.subject is not None:
        headers["OCI-Subject"] = pushed.subject
    response = Response(status_code=201, headers=headers)
    # A line for each, so that none grows beyond what proxies take.
    for tag in pushed.tags:
        response.headers.append("OCI-Tag", tag)
    return response
