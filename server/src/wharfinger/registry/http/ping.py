"""``GET /v2/``: is this a registry, and does my token count (OCI distribution 1.1, end-1)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.web.authentication import Gate


def routes(gate: Gate) -> list[Route]:
    """Return the route of the version check."""

    async def ping(request: Request) -> Response:
        await gate.ping(request)
        return Response(b"{}", media_type="application/json")

    return [Route(path, ping, methods=["GET"]) for path in ("/v2/", "/v2")]
