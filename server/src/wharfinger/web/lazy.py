"""An ASGI application that is built when it is first needed, or when somebody warms it up.

The control API's framework takes longer to import than all the rest to start; pulls and pushes
do not wait for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from wharfinger.web.threads import Threads


class LazyApp:
    """Builds ``factory()`` once, in a thread, and forwards to what it returned."""

    def __init__(self, factory: Callable[[], ASGIApp], threads: Threads) -> None:
        self._factory: Final = factory
        self._threads: Final = threads
        self._building: Final = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        app = self._app or await self.warm()
        await app(scope, receive, send)

    async def warm(self) -> ASGIApp:
        """Build the application if nobody did yet, and return it."""
        async with self._building:
            if self._app is None:
                self._app = await self._threads.run(self._factory)
            return self._app
