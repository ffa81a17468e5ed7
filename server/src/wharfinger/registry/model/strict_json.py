"""JSON as manifests may have it: one object, UTF-8, no key twice, bounded in depth and number.

The bounds are checked before anything is built, so that a hostile document costs a few passes
over its bytes and no more.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from msgspec import Struct

from wharfinger_common.languages import Text

# Matches an unfinished text too: if it failed there, each quote in it would be tried as a start.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+\\?"?', re.DOTALL)
_BRACKETS: Final = b"[]{}"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(_BRACKETS))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_SHOWN: Final = 80


class Bounds(Struct, frozen=True):
    """What a document may hold: ``depth`` levels of nesting, ``values`` values in all."""

    depth: int
    values: int


def require_strict(content: bytes, bounds: Bounds, refuse: Callable[[str], Exception]) -> None:
    """Let ``content`` pass if it is one JSON object (RFC 8259) as the module describes.

    Raises what ``refuse`` makes of the reason, a phrase. Cost: linear in the content, a few
    milliseconds for 4 MiB.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise refuse(Text("byte {position} is not UTF-8", position=error.start)) from None
    _require_bounded(content, bounds, refuse)
    try:
        document = json.loads(
            text, object_pairs_hook=_object_of(refuse), parse_constant=_constant_of(refuse)
        )
    except RecursionError:
        raise refuse(Text("it is nested too deep")) from None
    except json.JSONDecodeError as error:
        raise refuse(Text("it is not JSON: {error}", error=error)) from None
    except ValueError:
        raise refuse(Text("a number has too many digits")) from None
    if document is not _OBJECT:
        raise refuse(Text("it is not a JSON object"))


def _require_bounded(content: bytes, bounds: Bounds, refuse: Callable[[str], Exception]) -> None:
    skeleton = _STRING.sub(b"", content)
    brackets = skeleton.translate(_ONE_KIND, _NOT_BRACKETS)
    if skeleton.count(b",") + len(brackets) // 2 > bounds.values:
        raise refuse(Text("it holds more than {limit} values", limit=bounds.values))
    # Each pass takes the innermost pairs away: as many passes as there are levels.
    for _ in range(bounds.depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise refuse(
            Text(
                "it is nested deeper than {limit} levels, or its brackets do not pair",
                limit=bounds.depth,
            )
        )


_OBJECT: Final = object()


def _object_of(refuse: Callable[[str], Exception]) -> Callable[[list[tuple[str, Any]]], object]:
    def unique(pairs: list[tuple[str, Any]]) -> object:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise refuse(Text("the key {key} stands twice in one object", key=_shown(key)))
            seen.add(key)
        # What is checked is thrown away at once; the typed decoder reads the bytes again.
        return _OBJECT

    return unique


def _constant_of(refuse: Callable[[str], Exception]) -> Callable[[str], NoReturn]:
    def constant(name: str) -> NoReturn:
        raise refuse(Text("{name} is not JSON", name=name))

    return constant


def _shown(key: str) -> str:
    return ascii(key[:_SHOWN])
