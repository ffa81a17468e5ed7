"""Which request paths are taken at all: exactly as sent, without tricks of encoding."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

MAX_PATH: Final = 2048
_ENCODED_IMAGE: Final = re.compile(rb"^/(?:api/v1|va/api)/")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class PathInvalid(Refusal):
    """The path is malformed."""

    entry = entries.PATH_INVALID


class RouteUnknown(Refusal):
    """Nothing has this path."""

    entry = entries.ROUTE_UNKNOWN


def require_plain(scope: Scope) -> None:
    """Refuse a path with encoded slashes, control characters, dot segments or bad UTF-8.

    Paths of the control API may encode slashes: image references are one segment there.

    Raises:
        PathInvalid: the path is one of those, or longer than 2,048 bytes.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    raw = raw.partition(b"?")[0]
    if len(raw) > MAX_PATH:
        raise PathInvalid(reason=Text("more than {limit} bytes", limit=MAX_PATH))
    if b"%" not in raw and b"/." not in raw and raw.isascii() and not _CONTROL.search(raw.decode()):
        return
    _require_decoded(raw)


def _require_decoded(raw: bytes) -> None:
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise PathInvalid(reason=Text("it is not UTF-8")) from None
    if _CONTROL.search(path):
        raise PathInvalid(reason=Text("a control character"))
    if any(segment in {".", ".."} for segment in path.split("/")):
        raise PathInvalid(reason=Text("a dot segment"))
    if b"%2f" in raw.lower() and not _ENCODED_IMAGE.match(raw):
        raise PathInvalid(reason=Text("an encoded slash"))
