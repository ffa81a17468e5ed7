"""``GET /metrics``: the figures of all processes of this node (Prometheus text formats)."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.metrics.access import Access
from wharfinger.metrics.figures import Figures
from wharfinger.web.context import Web

PATH: Final = "/metrics"


def routes(web: Web, figures: Figures) -> list[Route]:
    """Return the route."""
    endpoint = _Endpoint(web, figures)
    return [Route(PATH, endpoint.get, methods=["GET"])]


class _Endpoint:
    def __init__(self, web: Web, figures: Figures) -> None:
        self._access: Final = Access(web.settings, web.urls)
        self._figures: Final = figures
        self._turn: Final = asyncio.Lock()

    async def get(self, request: Request) -> Response:
        """Answer with all figures, in the format that Accept asks for."""
        self._access.require(request)
        accept = request.headers.get("accept", "")
        async with self._turn:
            # Not in the services' threads: when those are all busy is when figures are wanted.
            body, media_type = await asyncio.to_thread(self._render, accept)
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    def _render(self, accept: str) -> tuple[bytes, str]:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder
        from prometheus_client.multiprocess import MultiProcessCollector

        self._figures.flush()
        registry = CollectorRegistry()
        collect: Callable[..., object] = MultiProcessCollector
        collect(registry, path=str(self._figures.folder))
        encoder, media_type = choose_encoder(accept)
        return encoder(registry), media_type
