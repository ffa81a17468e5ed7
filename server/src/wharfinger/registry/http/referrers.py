"""Lists of referrers over HTTP (OCI distribution 1.1, end-12)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.identity.model import PULL
from wharfinger.registry.model.manifests import OCI_INDEX
from wharfinger.registry.model.paging import link
from wharfinger.registry.model.referrers import render_index
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.service.referrers import Referrers
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger_common.names import require_repository

PATH: Final = "/v2/{name:path}/referrers/{digest}"


def routes(referrers: Referrers, gate: Gate, web: Web) -> list[Route]:
    """Return the route of referrers lists."""

    async def listing(request: Request) -> Response:
        repository = require_repository(request.path_params["name"])
        claims = await gate.authorize(request, repository, PULL)
        subject = request.path_params["digest"]
        artifact_type, n, last = (
            request.query_params.get(name, "") for name in ("artifactType", "n", "last")
        )
        artifact_type = meant(artifact_type)
        place = Place(claims.region, repository)
        page = await web.threads.run(referrers.list, place, subject, artifact_type, n, last)
        headers = {"OCI-Filters-Applied": "artifactType"} if artifact_type else {}
        if page.next:
            path = f"/v2/{repository}/referrers/{subject}"
            headers["Link"] = link(path, n=n, last=page.next, artifactType=artifact_type)
        return Response(render_index(page.referrers), 200, headers, OCI_INDEX)

    return [Route(PATH, listing)]


def meant(artifact_type: str) -> str:
    """Return the type that a query names, also where its plus sign was not escaped.

    Queries of forms write a space so; the name of a media type holds none (RFC 6838 section 4.2),
    only what its parameters say may.
    """
    name, semicolon, parameters = artifact_type.partition(";")
    return name.replace(" ", "+") + semicolon + parameters
