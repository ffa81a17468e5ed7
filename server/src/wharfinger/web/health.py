"""Health for orchestrators: alive, and ready to serve; bounded in time, however often asked."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.web.context import Web
from wharfinger.web.errors import language_of
from wharfinger.web.log import EventLog
from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Language, translate
from wharfinger_common.refusals import Refusal

FRESH_SECONDS: Final = 1.0
"""How long an answer is good for: a flood of probes asks the parts once a second."""

RETRY_SECONDS: Final = 5
"""When who found the service not ready may ask again."""

_log: Final = EventLog("wharfinger.health")

Check = Callable[[], None]
"""Returns where its part answers, raises a `Refusal` where it does not; may block."""


class Silent(Refusal):
    """A part has not answered in time."""

    entry = entries.PART_SILENT


class Broken(Refusal):
    """A part failed in a way that nobody foresaw."""

    entry = entries.INTERNAL


class Draining(Refusal):
    """The service is stopping."""

    entry = entries.DRAINING


class Health:
    """``/health/live`` says that the process runs, ``/health/ready`` that every part answers."""

    def __init__(self, web: Web, checks: Mapping[str, Check]) -> None:
        self._web: Final = web
        self._parts: Final = [_Part(name, check, web) for name, check in checks.items()]
        self._looking: Final = asyncio.Lock()
        self._found: dict[str, Refusal | None] = {}
        self._found_at = float("-inf")

    def routes(self) -> list[Route]:
        """Return the two routes; neither asks for credentials."""
        return [
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
        ]

    async def live(self, _request: Request) -> Response:
        """Answer 200 while the event loop turns."""
        return _answer(200, {"status": "alive"})

    async def ready(self, request: Request) -> Response:
        """Answer 200 when every part answers, else 503 with what is wrong and what to do."""
        language = language_of(request)
        if self._web.draining():
            return _failed({"status": "draining"} | _told(Draining(), language))
        found = await self._look()
        parts = {
            name: {"status": "failed"} | _told(refusal, language) if refusal else {"status": "ok"}
            for name, refusal in found.items()
        }
        if not any(found.values()):
            return _answer(200, {"status": "ready", "parts": parts})
        failed = {"status": "waiting", "code": entries.NOT_READY.code}
        return _failed(failed | {"parts": parts})

    async def _look(self) -> dict[str, Refusal | None]:
        """Return what each part says, or said within `FRESH_SECONDS`; probes share a look."""
        async with self._looking:
            if time.monotonic() - self._found_at >= FRESH_SECONDS:
                answers = await asyncio.gather(*(part.ask() for part in self._parts))
                names = (part.name for part in self._parts)
                self._found = dict(zip(names, answers, strict=True))
                self._found_at = time.monotonic()
            return self._found


class _Part:
    """One part, asked in a thread of its own: a pool that hangs with it could not tell."""

    def __init__(self, name: str, check: Check, web: Web) -> None:
        self.name: Final = name
        self._check: Final = check
        self._limit: Final = web.settings.health_seconds
        self._pool: Final = ThreadPoolExecutor(1, thread_name_prefix=f"health-{name}")
        self._asking: asyncio.Future[Refusal | None] | None = None

    async def ask(self) -> Refusal | None:
        """Return why the part cannot serve, None if it can; at the latest after the limit.

        A check that hangs is waited for again by the next probe, not started a second time.
        """
        if self._asking is None or self._asking.done():
            loop = asyncio.get_running_loop()
            self._asking = loop.run_in_executor(self._pool, self._state)
        done, _ = await asyncio.wait({self._asking}, timeout=self._limit)
        return self._asking.result() if done else Silent(part=self.name, seconds=self._limit)

    def _state(self) -> Refusal | None:
        try:
            self._check()
        except Refusal as refusal:
            return refusal
        except Exception as error:  # whatever it is, the part does not serve
            _log.exception("health check failed", part=self.name, error=repr(error))
            return Broken()
        return None


def _told(refusal: Refusal, language: Language) -> dict[str, str]:
    wording = translate(refusal.entry, language, refusal.items[0])
    return {"code": refusal.entry.code, "message": wording.message, "cure": wording.remedy}


def _failed(body: Mapping[str, Any]) -> Response:
    """Return what says not ready; the cures in it name the Retry-After header."""
    answer = _answer(503, body)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    content = json.dumps(body, ensure_ascii=False)
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")
