"""The fast path where the database has to be waited for (docs/adr/0015)."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.registry.fastreads import (
    AwaitedReads,
    ReadFailed,
)
from wharfinger.registry.plainreads import (
    ROUTES,
    Asked,
    Files,
    Found,
    PlainReads,
    ReadTokens,
    Traffic,
)
from wharfinger.web.context import Web
from wharfinger.web.exchange import Exchange


class AwaitedFastPath(PlainReads):
    """The same where the database has to be waited for: nothing is answered at once."""

    def __init__(
        self,
        app: ASGIApp,
        web: Web,
        tokens: ReadTokens,
        reads: AwaitedReads,
        files: Files,
        traffic: Traffic,
    ) -> None:
        super().__init__(app, web, tokens, files, traffic)
        self._reads: Final = reads

    def at_once(self, _scope: Scope) -> None:
        """Return None: a look-up takes longer than the event loop may stand still."""
        return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3) if it is a plain read, else by the ordinary routes."""
        asked = self._asked(scope)
        if asked is None or not await self._served(scope, receive, send, asked):
            await self._app(scope, receive, send)

    async def _served(self, scope: Scope, receive: Receive, send: Send, asked: Asked) -> bool:
        exchange = Exchange(scope, receive, send, self._web.urls)
        try:
            if asked.downloads:
                file = self._file(scope, asked, await self._reads.blob(self._key(asked)))
                if file is not None:
                    await self._send(scope, receive, send, file)
                return file is not None
            found = await self._found(asked)
        except ReadFailed:
            return False
        if found is not None:
            await self._send_found(exchange, asked, found)
        return found is not None

    async def _found(self, asked: Asked) -> Found | None:
        key = self._key(asked)
        if asked.read.kind == "blobs":
            return self._head_found(asked, await self._reads.blob_head(key))
        found = await self._reads.manifest(
            key, by_tag=asked.by_tag, with_content=asked.with_content
        )
        return self._manifest_found(asked, found)

    async def _send_found(self, exchange: Exchange, asked: Asked, found: Found) -> None:
        headers, body = found
        exchange.route, exchange.presented.claims = ROUTES[asked.read.kind], asked.claims
        self._web.meter.began()
        try:
            start = {"type": "http.response.start", "status": 200, "headers": headers}
            await exchange.send(start)
            await exchange.send({"type": "http.response.body", "body": body})
        finally:
            exchange.end(self._web.meter, self._web.access)
