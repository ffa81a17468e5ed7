"""The outermost layer of the application: request id, refusals, draining, the access log."""

import logging
import secrets
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wharfinger.web.context import Web
from wharfinger.web.errors import Telling, render
from wharfinger.web.log import EventLog
from wharfinger.web.methods import MethodUnknown
from wharfinger.web.paths import RouteUnknown, require_plain
from wharfinger.web.urls import HostUnknown
from wharfinger.web.witness import Presented
from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import accepted
from wharfinger_common.refusals import Refusal

_log: Final = EventLog("wharfinger.http")


class Draining(Refusal):
    """The service is stopping."""

    entry = entries.DRAINING


class Internal(Refusal):
    """Something that nobody foresaw."""

    entry = entries.INTERNAL


def new_request_id() -> str:
    """Return an id that a caller can quote and nobody can guess: 24 hexadecimal digits."""
    return secrets.token_hex(12)


class Surface:
    """Wraps the routes: every answer leaves with a request id, every refusal in its form."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self._app: Final = app
        self._web: Final = web
        self._logs: Final = _log.enabled(logging.INFO)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # Without it the router would answer a wrong path or method by itself, in plain text.
        scope.setdefault("app", self)
        exchange = _Exchange(scope, send)
        try:
            self._admit(scope)
            await self._app(scope, receive, exchange.send)
        except Refusal as refusal:
            await self._refuse(exchange, receive, refusal)
        except HTTPException as error:
            await self._refuse(exchange, receive, _from_starlette(error, scope))
        except ClientDisconnect:
            exchange.status = exchange.status or 499
        except Exception as error:  # the last resort: no defect may end without an answer
            _log.exception("unexpected", request_id=exchange.request_id, error=repr(error))
            await self._refuse(exchange, receive, Internal())
        finally:
            if self._logs:
                exchange.log()
        return None

    def _admit(self, scope: Scope) -> None:
        if self._web.draining() and not scope["path"].startswith("/health/"):
            wait = max(1, round(self._web.settings.drain_seconds) + 1)
            raise Draining(headers={"Retry-After": str(wait), "Connection": "close"})
        if not scope["path"].startswith("/health/"):
            self._web.urls.region(HTTPConnection(scope))
        require_plain(scope)

    async def _refuse(self, exchange: "_Exchange", receive: Receive, refusal: Refusal) -> None:
        if exchange.status:
            # The answer is half sent; only cutting it short tells the client that it failed.
            raise refusal
        refusal, telling = self._telling(exchange, refusal)
        response = render(refusal, exchange.scope["path"], telling)
        await response(exchange.scope, receive, exchange.send)
        self._web.witness.saw(exchange.scope, refusal, exchange.presented)

    def _telling(self, exchange: "_Exchange", refusal: Refusal) -> tuple[Refusal, Telling]:
        """Return what is refused and how it is told; a challenge needs to know the host."""
        request, base = HTTPConnection(exchange.scope), ""
        try:
            base = self._web.urls.base(request)
        except HostUnknown as unknown:
            refusal = unknown if refusal.challenge is not None else refusal
        language = accepted(request.headers.get("accept-language", ""))
        help_url = self._web.settings.help_url
        return refusal, Telling(exchange.request_id, base, language, help_url)


class _Exchange:
    """One request and its answer, for the log."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope: Final = scope
        self.request_id: Final = scope.setdefault("request_id", new_request_id())
        self.presented: Final = Presented.of(scope)
        self.status = 0
        self._send: Final = send
        self._started: Final = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            if self.scope["path"].startswith("/v2"):
                headers["Docker-Distribution-API-Version"] = "registry/2.0"
        await self._send(message)

    def log(self) -> None:
        _log.info(
            "request",
            request_id=self.request_id,
            method=self.scope["method"],
            path=self.scope["path"][:300],
            status=self.status,
            ms=round((time.perf_counter() - self._started) * 1000, 2),
        )


def _from_starlette(error: HTTPException, scope: Scope) -> Refusal:
    if error.status_code == 405:
        return MethodUnknown(headers=dict(error.headers or {}), method=scope["method"])
    return RouteUnknown() if error.status_code == 404 else Internal()
