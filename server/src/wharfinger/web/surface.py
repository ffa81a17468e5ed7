"""The outermost layer of the application: request id, refusals, draining, the access log."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wharfinger.web.context import Web
from wharfinger.web.errors import HELP_PATH, Telling, render
from wharfinger.web.exchange import Exchange
from wharfinger.web.log import EventLog
from wharfinger.web.methods import MethodUnknown
from wharfinger.web.paths import RouteUnknown, require_plain
from wharfinger.web.sendfile import ClientGone
from wharfinger.web.urls import HostUnknown
from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

_log: Final = EventLog("wharfinger.http")
_FOR_OPERATORS: Final = ("/health/", "/metrics")
"""Paths that are answered by any host, and until the end."""


_READS: Final = frozenset({"GET", "HEAD"})
_ATTEMPTS: Final = 3


class Draining(Refusal):
    """The service is stopping."""

    entry = entries.DRAINING


class Internal(Refusal):
    """Something that nobody foresaw."""

    entry = entries.INTERNAL


class _Body:
    """The body of a request that may be asked twice: the server tells only once that it ended."""

    def __init__(self, receive: Receive) -> None:
        self._receive: Final = receive
        self._end: Message | None = None
        self._untold: Message | None = None
        self._empty = True

    async def receive(self) -> Message:
        """Return the next message (ASGI 3)."""
        if self._untold is not None:
            message, self._untold = self._untold, None
            return message
        message = await self._receive()
        if message.get("body"):
            self._empty = False
        if message["type"] == "http.request" and not message.get("more_body"):
            self._end = message
        return message

    def rewound(self) -> bool:
        """Begin anew; return whether that can be done, which is when nothing was in it."""
        self._untold = self._end
        return self._empty


class Surface:
    """Wraps the routes: every answer leaves with a request id, every refusal in its form."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self._app: Final = app
        self._web: Final = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # Without it the router would answer a wrong path or method by itself, in plain text.
        scope.setdefault("app", self)
        exchange = Exchange(scope, receive, send, self._web.urls)
        self._web.meter.began()
        try:
            self._admit(scope)
            await self._serve(scope, exchange)
        except Refusal as refusal:
            await self._refuse(exchange, receive, refusal)
        except HTTPException as error:
            await self._refuse(exchange, receive, _from_starlette(error, scope))
        except ClientDisconnect:
            exchange.gone = True
        except ClientGone:
            exchange.gone = True
            raise
        except Exception as error:  # the last resort: no defect may end without an answer
            _log.exception("unexpected", request_id=exchange.request_id, error=repr(error))
            await self._refuse(exchange, receive, Internal())
        finally:
            exchange.end(self._web.meter, self._web.access)
        return None

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        """Let the application answer; what only reads it is asked again where a part gave out."""
        if scope["method"] not in _READS:
            return await self._app(scope, exchange.receive, exchange.send)
        body = _Body(exchange.receive)
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._app(scope, body.receive, exchange.send)
            except Refusal as refusal:
                if not refusal.undone or exchange.status or not body.rewound():
                    raise
        return await self._app(scope, body.receive, exchange.send)

    def _admit(self, scope: Scope) -> None:
        for_operators = scope["path"].startswith(_FOR_OPERATORS)
        if self._web.draining() and not for_operators:
            wait = max(1, round(self._web.settings.drain_seconds) + 1)
            raise Draining(headers={"Retry-After": str(wait), "Connection": "close"})
        # Who called a host of no region is told where help is: at the host that it can reach.
        if not for_operators and not scope["path"].startswith(HELP_PATH):
            self._web.urls.region(HTTPConnection(scope))
        require_plain(scope)

    async def _refuse(self, exchange: Exchange, receive: Receive, refusal: Refusal) -> None:
        exchange.refused(refusal)
        if exchange.status:
            # The answer is half sent; only cutting it short tells the client that it failed.
            raise refusal
        refusal, telling = self._telling(exchange, refusal)
        exchange.refused(refusal)
        response = render(refusal, exchange.scope["path"], telling)
        await response(exchange.scope, receive, exchange.send)
        self._web.witness.saw(exchange.scope, refusal, exchange.presented)

    def _telling(self, exchange: Exchange, refusal: Refusal) -> tuple[Refusal, Telling]:
        """Return what is refused and how it is told; a challenge needs to know the host."""
        request, base = HTTPConnection(exchange.scope), ""
        try:
            base = self._web.urls.base(request)
        except HostUnknown as unknown:
            refusal = unknown if refusal.challenge is not None else refusal
        return refusal, Telling.to(request, base, self._web.settings.help_url)


def _from_starlette(error: HTTPException, scope: Scope) -> Refusal:
    if error.status_code == 405:
        return MethodUnknown(headers=dict(error.headers or {}), method=scope["method"])
    return RouteUnknown() if error.status_code == 404 else Internal()
