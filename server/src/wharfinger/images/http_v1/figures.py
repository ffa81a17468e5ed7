"""``GET /api/v1/metrics``: an account's own figures, for its own Prometheus."""

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter, Request, Response

from wharfinger.images.model.options import ImageCounts
from wharfinger.images.service.options import OptionsDesk
from wharfinger.plans import UNLIMITED
from wharfinger.quotas.model import Limits, Usage
from wharfinger.quotas.service.accounts import Quotas
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
Line = tuple[str, str, float]
"""Name, help and value of a gauge."""


def router(options: OptionsDesk, quotas: Quotas, web: Web, gate: Gate) -> APIRouter:
    """Return the route; ``gate`` tells who calls, and so whose figures are shown."""
    api = APIRouter(prefix="/api/v1", tags=["images"], route_class=guarded_route(web, gate))

    @api.get(
        "/metrics",
        operation_id="get_metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(request: Request) -> Response:
        """Show the account's figures to Prometheus; none without platform_metrics (any role)."""
        caller = caller_of(request)
        counts = await web.threads.run(options.counts, caller)
        lines: list[Line] = []
        if counts is not None:
            limits, usage = await web.threads.run(quotas.quotas, caller)
            lines = [*_images(counts), *_quotas(limits, usage)]
        text = _rendered(lines, caller.account, caller.region)
        return Response(text, headers={"Content-Type": TEXT, "Cache-Control": "no-store"})

    return api


def _images(counts: ImageCounts) -> Iterator[Line]:
    yield "registry_repositories", "Repositories of the account", counts.repositories
    yield "registry_images", "Manifests in them, indexes too", counts.images
    yield "registry_tags", "Tags in them", counts.tags
    yield "registry_trash_images", "Deleted images that can be restored", counts.trashed


def _quotas(limits: Limits, usage: Usage) -> Iterator[Line]:
    yield "registry_storage_bytes", "Bytes stored that count", usage.storage
    yield "registry_storage_limit_bytes", "Bytes that may be stored", _most(limits.storage)
    yield "registry_pull_traffic_bytes", "Bytes downloaded this month (UTC)", usage.traffic
    yield (
        "registry_pull_traffic_limit_bytes",
        "Bytes that may be downloaded in a month",
        _most(limits.traffic),
    )


def _most(limit: int) -> float:
    return float("inf") if limit == UNLIMITED else limit


def _rendered(lines: list[Line], account: str, region: str) -> str:
    """Return the gauges in Prometheus' text format 0.0.4; no value needs an escape there.

    Its library would be loaded by every worker for the sake of these lines.
    """
    labels = f'{{account="{account}",region="{region}"}}'
    told = (
        f"# HELP {name} {text}\n# TYPE {name} gauge\n{name}{labels} {_number(value)}\n"
        for name, text, value in lines
    )
    return "".join(told)


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else str(value)
