"""Health for orchestrators: alive, and ready to serve."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.web.context import Web
from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

Check = Callable[[], None]
"""Returns where its part answers, raises a `Refusal` where it does not; may block."""


class Health:
    """``/health/live`` says that the process runs, ``/health/ready`` that every part answers."""

    def __init__(self, web: Web, checks: Mapping[str, Check]) -> None:
        self._web: Final = web
        self._checks: Final = dict(checks)

    def routes(self) -> list[Route]:
        """Return the two routes; neither asks for credentials."""
        return [
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
        ]

    async def live(self, _request: Request) -> Response:
        """Answer 200 while the event loop turns."""
        return _answer(200, {"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """Answer 200 when every part answers, 503 naming those that do not, or the draining."""
        if self._web.draining():
            return _answer(503, {"status": "draining", "code": entries.DRAINING.code})
        parts = await self._web.threads.run(self._run)
        if all(state == "ok" for state in parts.values()):
            return _answer(200, {"status": "ready"} | parts)
        return _answer(503, {"status": "waiting", "code": entries.NOT_READY.code} | parts)

    def _run(self) -> dict[str, str]:
        return {name: _state(check) for name, check in self._checks.items()}


def _state(check: Check) -> str:
    try:
        check()
    except Refusal as refusal:
        return str(refusal)
    return "ok"


def _answer(status: int, body: Mapping[str, str]) -> Response:
    return Response(json.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")
