"""The control API application: rooms' routers under one OpenAPI description.

Loaded after readiness, with FastAPI. What it refuses it raises, for `web.surface` to render.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from wharfinger.web import openapi
from wharfinger.web.context import Web
from wharfinger.web.methods import HeadAsGet, KnownMethods
from wharfinger.web.reference_page import page

OPENAPI_PATH: Final = "/api/v1/openapi.json"
PAGE_PATH: Final = "/api/v1/docs"
_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"


def control_application(
    web: Web,
    routers: Iterable[APIRouter],
    version: str,
    besides: Mapping[str, Any] | None = None,
) -> ASGIApp:
    """Return the application of all ``routers``, whose paths are absolute.

    Besides them it serves its OpenAPI 3.1 description and a page that shows it, to everybody;
    ``besides`` are paths and schemas of what others serve, to be described with it.
    """
    app = _Control(
        besides or {},
        web.settings.password_min_length,
        [plan.title for plan in web.settings.offered_plans],
        title="Wharfinger control API",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    for router in routers:
        app.include_router(router)
        app.offered.extend(route for route in router.routes if isinstance(route, APIRoute))
    _Description(app, web).mount()
    return app


class _Control(FastAPI):
    """FastAPI without its own error answers: refusals pass through to the surface."""

    def __init__(
        self,
        besides: Mapping[str, Any],
        password_min_length: int,
        plans: Sequence[str],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.besides: Final = besides
        # FastAPI keeps included routes in a form of its own, which cannot be asked for methods.
        self.offered: Final[list[APIRoute]] = []
        self.password_min_length: Final = password_min_length
        self.plans: Final = plans

    def build_middleware_stack(self) -> ASGIApp:
        # FastAPI's stack answers errors itself; the exit stack is all that its routes need.
        own = [route for route in self.routes if isinstance(route, APIRoute)]
        known = KnownMethods(HeadAsGet(self.router), [*own, *self.offered])
        return AsyncExitStackMiddleware(known)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document."""
        if self.openapi_schema is None:
            described = openapi.joined(super().openapi(), self.besides)
            self.openapi_schema = openapi.completed(described, self.password_min_length, self.plans)
        return self.openapi_schema


class _Description:
    """Serves the OpenAPI document and the page made from it; both are built once."""

    def __init__(self, app: FastAPI, web: Web) -> None:
        self._app: Final = app
        self._web: Final = web

    def mount(self) -> None:
        for path, endpoint in ((OPENAPI_PATH, self.document), (PAGE_PATH, self.page)):
            self._app.add_api_route(path, endpoint, methods=["GET"], include_in_schema=False)

    async def document(self, _request: Request) -> Response:
        return JSONResponse(await self._web.threads.run(self._app.openapi))

    async def page(self, _request: Request) -> Response:
        content = await self._web.threads.run(lambda: page(self._app.openapi()))
        return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY})


def _operation_id(route: APIRoute) -> str:
    """Return ``create_apikeys`` for the endpoint ``create`` below ``.../apikeys``."""
    fixed = [part for part in route.path_format.split("/") if part and "{" not in part]
    return f"{route.name}_{fixed[-1]}"
