"""Bodies of uploads on the event loop: collected here, hashed and written in threads."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

from starlette.requests import Request

from wharfinger.cores import anywhere
from wharfinger.registry.model.uploads import BlobTooLarge
from wharfinger.registry.service.reception import Reception
from wharfinger.web.bodies import BodyIncomplete, TooSlow, chunks
from wharfinger.web.threads import Busy, Threads
from wharfinger_common.refusals import Refusal

BUFFER: Final = 1024 * 1024
"""Bytes collected before a thread takes them; at most two such buffers exist for a request."""

_ATTEMPTS: Final = 200
_PAUSE: Final = 0.05  # seconds

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Feed:
    """The body of an upload request, in buffers of about `BUFFER` bytes."""

    def __init__(self, request: Request, stall_seconds: float, limit: int) -> None:
        announced = request.headers.get("content-length", "")
        self._announced: Final = int(announced) if announced.isdecimal() else None
        if self._announced is not None and self._announced > limit:
            raise BlobTooLarge(limit=limit, headers={"Connection": "close"})
        self._pieces: Final = chunks(request, stall_seconds)
        self._received = 0
        self._pending: list[bytes] = []

    @property
    def announced(self) -> int:
        """The bytes that the body will have, 0 where the client does not say."""
        return self._announced or 0

    async def fill(self) -> bool:
        """Collect the next buffer; False when it is the last one, which may be empty.

        Raises:
            BodyIncomplete, TooSlow: no more comes; `take` gives what did.
        """
        size = 0
        async for piece in self._pieces:
            self._pending.append(piece)
            self._received += len(piece)
            size += len(piece)
            if size >= BUFFER and self._received != self._announced:
                return True
        if self._announced is not None and self._received != self._announced:
            raise BodyIncomplete
        return False

    def take(self) -> list[bytes]:
        """Return what was collected since the last call."""
        pending, self._pending = self._pending, []
        return pending


async def pump(feed: Feed, reception: Reception, threads: Threads, renew_seconds: float) -> None:
    """Write the body to the upload: one buffer is written while the next one is received.

    However it ends, no thread is writing any more.

    Raises:
        BodyIncomplete, TooSlow: the client failed.
        Refusal: what `Reception.write` raises.
    """
    write = anywhere(reception.write)
    renewing = asyncio.create_task(_keep_alive(reception, threads, renew_seconds))
    writing: asyncio.Task[None] | None = None
    more = True
    try:
        # The first buffer is there already.
        while pieces := feed.take():
            await _end_of(writing)
            writing = asyncio.create_task(insist(threads, write, pieces))
            more = more and await feed.fill()
        await _end_of(writing)
    except (BodyIncomplete, TooSlow):
        # What was received counts only behind all that came before it.
        await _end_of(writing)
        raise
    finally:
        renewing.cancel()
        if writing is not None and not writing.done():
            await asyncio.wait({writing})
        if writing is not None and not writing.cancelled():
            writing.exception()


async def insist(
    threads: Threads, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Run ``function`` in a thread, waiting for one: the request holds something already.

    Raises:
        Busy: no thread was to be had for seconds.
    """
    for _ in range(_ATTEMPTS):
        with suppress(Busy):
            return await threads.run(function, *args, **kwargs)
        await asyncio.sleep(_PAUSE)
    return await threads.run(function, *args, **kwargs)


async def _end_of(writing: asyncio.Task[None] | None) -> None:
    """Wait for the thread and raise what it raised; being cancelled does not cancel it."""
    if writing is not None:
        await asyncio.wait({writing})
        writing.result()


async def _keep_alive(reception: Reception, threads: Threads, seconds: float) -> None:
    """Renew the lease while the client is slow."""
    while True:
        await asyncio.sleep(seconds)
        # A renewal that fails shows at the next write.
        with suppress(Refusal):
            await threads.run(reception.renew)
