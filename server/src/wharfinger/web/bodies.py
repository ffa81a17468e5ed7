"""Request bodies that fit in memory: read whole, bounded in size and in time."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal


class BodyTooLarge(Refusal):
    """The body exceeds its limit."""

    entry = entries.BODY_TOO_LARGE


class BodyInvalid(Refusal):
    """The request's form is not what the call takes."""

    entry = entries.BODY_INVALID


class BodyIncomplete(Refusal):
    """The body ended early."""

    entry = entries.BODY_INCOMPLETE


class TooSlow(Refusal):
    """The body stood still."""

    entry = entries.TOO_SLOW


async def chunks(request: Request, stall_seconds: float) -> AsyncIterator[bytes]:
    """Yield the pieces of the body as they come, none of them empty.

    Raises:
        BodyIncomplete: the client vanished.
        TooSlow: nothing came for ``stall_seconds``.
    """
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(stall_seconds):
                piece = await anext(stream, None)
        except TimeoutError:
            raise TooSlow(seconds=round(stall_seconds), headers={"Connection": "close"}) from None
        except ClientDisconnect:
            raise BodyIncomplete from None
        if piece is None:
            return
        if piece:
            yield piece


async def read_body(request: Request, limit: int, setting: str, stall_seconds: float) -> bytes:
    """Return the whole body of at most ``limit`` bytes; ``setting`` names that limit.

    Raises:
        BodyTooLarge: it is, or says it is, larger.
        BodyIncomplete: it ended before its announced length.
        TooSlow: it stood still.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge(limit=limit, setting=setting, headers={"Connection": "close"})
    body = bytearray()
    async for piece in chunks(request, stall_seconds):
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(limit=limit, setting=setting, headers={"Connection": "close"})
    if announced.isdecimal() and len(body) != int(announced):
        raise BodyIncomplete
    return bytes(body)
