"""The catalogue over HTTP (Docker Registry HTTP API V2, Listing Repositories)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.registry.http.tags import render_names
from wharfinger.registry.service.catalog import Catalogue
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web

PATH: Final = "/v2/_catalog"


def routes(catalogue: Catalogue, gate: Gate, web: Web) -> list[Route]:
    """Return the route of the catalogue."""

    async def listing(request: Request) -> Response:
        claims = await gate.catalog(request)
        n, last = (request.query_params.get(name, "") for name in ("n", "last"))
        found = await web.threads.run(catalogue.list, claims, n, last)
        return render_names({"repositories": found.names}, found, PATH, n)

    return [Route(PATH, listing)]
