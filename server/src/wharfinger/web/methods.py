"""HEAD wherever there is GET; and all methods of a path in the Allow header of a 405."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal


class Offered(Protocol):
    """What a route tells of itself; Starlette's and FastAPI's do."""

    path: str
    methods: Any

    def matches(self, scope: Scope) -> tuple[Match, Any]:
        """Tell how far the route fits the request."""


class MethodUnknown(Refusal):
    """The path has not this method."""

    entry = entries.METHOD_UNKNOWN


class KnownMethods:
    """Wraps a router, which by itself names the methods of one route only (RFC 9110, Allow).

    ``routes`` are the router's, which it may not list itself where they are nested.
    """

    def __init__(self, router: ASGIApp, routes: Sequence[Offered]) -> None:
        self._router: Final = router
        self._routes: Final = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3).

        Raises:
            MethodUnknown: routes have the path, none with the method.
        """
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            if error.status_code != 405:
                raise
            allowed = ", ".join(sorted(self._methods(scope)))
            raise MethodUnknown(headers={"Allow": allowed}, method=scope["method"]) from error

    def _methods(self, scope: Scope) -> set[str]:
        found = [route for route in self._routes if route.matches(scope)[0] is not Match.NONE]
        # A fixed path (.../details) wins over a parameter that would take it (.../{name}).
        exact = [route for route in found if route.path == scope["path"]]
        methods = {method for route in exact or found for method in route.methods or ()}
        return methods | {"HEAD"} if "GET" in methods else methods


class HeadAsGet:
    """Wraps a router that knows no HEAD: it is asked for the GET (RFC 9110, 9.3.2).

    The server, which knows the method that was sent, leaves the body away and keeps its length.
    """

    def __init__(self, router: ASGIApp) -> None:
        self._router: Final = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._router(scope, receive, send)
        asked = {**scope, "method": "GET"}
        try:
            await self._router(asked, receive, send)
        finally:
            # What the router found is counted and logged by who sees the first of these two.
            scope.update({**asked, "method": "HEAD"})
