"""One request and its answer: its id, what went over the wire, and how it ended."""

import os
import re
import secrets
import time
from collections import deque
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from wharfinger.web.access_log import AccessLog
from wharfinger.web.meter import Answered, Meter
from wharfinger.web.notices import warnings
from wharfinger.web.sendfile import EXTENSION
from wharfinger.web.urls import Urls
from wharfinger.web.witness import Presented
from wharfinger_common.refusals import Refusal

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")

# Many at a time: one draw costs a call of the kernel. No two processes have the same ones.
_DRAWN: Final = 64
_drawn: Final[deque[str]] = deque()
os.register_at_fork(after_in_child=_drawn.clear)


def new_request_id() -> str:
    """Return an id that a caller can quote and nobody can guess: 24 hexadecimal digits."""
    try:
        return _drawn.pop()
    except IndexError:
        digits = secrets.token_hex(12 * _DRAWN)
        first, *others = (digits[at : at + 24] for at in range(0, len(digits), 24))
        _drawn.extend(others)
        return first


def request_id(scope: Scope, urls: Urls) -> str:
    """Return the id that a trusted proxy gave the request, if it is well-formed, else a new one."""
    if urls.proxied(scope):
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _ID.fullmatch(value):
                return str(value.decode())
    return new_request_id()


class Exchange:
    """Watches a request; ``receive`` and ``send`` are to be used in place of the server's.

    ``route`` is set by who answers without the router, ``gone`` where the client left early.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, urls: Urls) -> None:
        self.scope: Final = scope
        if "request_id" not in scope:
            scope["request_id"] = request_id(scope, urls)
        self.request_id: Final[str] = scope["request_id"]
        self.presented: Final = Presented.of(scope)
        self.route = ""
        self.status = 0
        self.gone = False
        self._refusal: Refusal | None = None
        self._received = 0
        self._sent = 0
        self._receive: Final = receive
        self._send: Final = send
        self._started: Final = time.perf_counter()

    async def receive(self) -> Message:
        """Return the next piece of the body."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer, its head with the request's id."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            if self.scope["path"].startswith("/v2"):
                headers["Docker-Distribution-API-Version"] = "registry/2.0"
            if self.presented.notices and self.status < 400:
                for value in warnings(self.presented.notices):
                    headers.append("Warning", value)
        await self._send(message)
        if kind == "http.response.body":
            self._sent += len(message.get("body", b""))
        elif kind == EXTENSION:
            self._sent += message["count"]

    def refused(self, refusal: Refusal) -> None:
        """Remember why the answer is no."""
        self._refusal = refusal

    def end(self, meter: Meter, log: AccessLog) -> None:
        """Tell how it ended."""
        refusal = self._refusal
        answered = Answered(
            route=self.route or meter.route(self.scope),
            method=self.scope["method"],
            status=self.status,
            code=refusal.entry.code if refusal is not None else "",
            seconds=time.perf_counter() - self._started,
            received=self._received,
            sent=self._sent if self.scope["method"] != "HEAD" else 0,
            gone=self.gone,
            usual=self._usual(),
        )
        meter.answered(answered)
        log.write(self.request_id, self._account(), answered)

    def _account(self) -> str:
        claims = self.presented.claims
        return self.presented.account or (claims.account if claims is not None else "")

    def _usual(self) -> bool:
        if self.status == 404:
            return bool(self.scope["method"] == "HEAD")
        challenge = self._refusal.challenge if self._refusal is not None else None
        return self.status == 401 and challenge is not None and not challenge.error
