"""Files as answers, sent by the kernel (ASGI extension ``http.response.zerocopysend``)."""

from io import FileIO
from typing import Final

from starlette.types import Scope, Send

EXTENSION: Final = "http.response.zerocopysend"


class ClientGone(OSError):
    """The peer left: raised by the server's ``send`` (ASGI 2.4), ends a loop over a body."""


def offered(scope: Scope) -> bool:
    """Whether the server sends files for this request."""
    return EXTENSION in scope.get("extensions", {})


async def send_file(send: Send, file: FileIO, offset: int, count: int) -> None:
    """Send ``count`` bytes of the file from ``offset`` as the whole body; the file stays open."""
    await send({"type": EXTENSION, "file": file, "offset": offset, "count": count})
