"""Lists of tags over HTTP (OCI distribution 1.1, end-8)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.identity.model import PULL
from wharfinger.registry.model.paging import link
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.service.tags import Names, Tags
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger_common.names import require_repository

PATH: Final = "/v2/{name:path}/tags/list"


def routes(tags: Tags, gate: Gate, web: Web) -> list[Route]:
    """Return the route of tag lists."""

    async def listing(request: Request) -> Response:
        repository = require_repository(request.path_params["name"])
        claims = await gate.authorize(request, repository, PULL)
        n, last = (request.query_params.get(name, "") for name in ("n", "last"))
        found = await web.threads.run(tags.list, Place(claims.region, repository), n, last)
        body = {"name": repository, "tags": found.names}
        return render_names(body, found, f"/v2/{repository}/tags/list", n)

    return [Route(PATH, listing)]


def render_names(body: Mapping[str, object], found: Names, path: str, n: str) -> Response:
    """Return a page of names in ``body``, with the Link to the next one at ``path``."""
    headers = {"Link": link(path, n=n, last=found.names[-1])} if found.more else None
    return Response(msgspec.json.encode(body), 200, headers, "application/json")
