"""The functions of templates (Go, package text/template, Functions)."""

import html as entities
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus

from wharf_container_registry.templates.formatting import sprintf
from wharf_container_registry.templates.syntax import TemplateWrong
from wharf_container_registry.templates.values import (
    MISSING,
    NO_VALUE,
    Struct,
    Value,
    printed,
    truth,
)


def _kind(value: Value) -> str:
    for kind, types in (("bool", bool), ("int", int), ("float", float), ("string", str)):
        if isinstance(value, types):
            return kind
    return "nil" if value is None or value is MISSING else "other"


def _comparable(left: Value, right: Value) -> None:
    kinds = {_kind(left), _kind(right)}
    if "other" in kinds and "nil" not in kinds:
        raise TemplateWrong("only texts, numbers and truth values can be compared")
    if len(kinds) > 1 and "nil" not in kinds:
        raise TemplateWrong(f"incompatible types for comparison: {' and '.join(sorted(kinds))}")


def _equal(left: Value, right: Value) -> bool:
    _comparable(left, right)
    return _kind(left) == _kind(right) and (_kind(left) == "nil" or bool(left == right))


def _less(left: Value, right: Value) -> bool:
    _comparable(left, right)
    if _kind(left) in {"bool", "nil"} or _kind(right) == "nil":
        raise TemplateWrong("only texts and numbers have an order")
    return bool(left < right)


def _eq(first: Value, *others: Value) -> bool:
    if not others:
        raise TemplateWrong("eq needs two arguments or more")
    return any(_equal(first, other) for other in others)


def _len(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Sequence) or (
        isinstance(value, Mapping) and not isinstance(value, Struct)
    ):
        return len(value)
    raise TemplateWrong(f"{printed(value)} has no length")


def _index(value: Value, *keys: Value) -> Value:
    if _kind(value) == "nil":
        raise TemplateWrong("nothing cannot be indexed")
    for key in keys:
        value = _element(value, key)
    return value


def _element(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping) and not isinstance(value, Struct) and isinstance(key, str):
        # What Go gives for a key that a map of texts lacks is the empty text.
        texts = bool(value) and all(isinstance(each, str) for each in value.values())
        return value.get(key, "" if texts else MISSING)
    if isinstance(value, str | Sequence) and _kind(key) == "int":
        elements = list(value.encode()) if isinstance(value, str) else value
        if not 0 <= key < len(elements):
            raise TemplateWrong(f"index {key} is out of range")
        return elements[key]
    raise TemplateWrong(f"{printed(value)} cannot be indexed by {printed(key)}")


def _slice(value: Value, *bounds: Value) -> Value:
    if not isinstance(value, str | Sequence) or len(bounds) > 2:
        raise TemplateWrong(f"{printed(value)} cannot be sliced so")
    if any(_kind(bound) != "int" for bound in bounds):
        raise TemplateWrong("the bounds of a slice are whole numbers")
    first = bounds[0] if bounds else 0
    last = bounds[1] if len(bounds) > 1 else len(value)
    if not 0 <= first <= last <= len(value):
        raise TemplateWrong(f"slice {first}:{last} is out of range")
    return value[first:last]


def _print(*values: Value) -> str:
    """Print with blanks between operands of which neither is a text (Go, fmt.Sprint)."""
    parts: list[str] = []
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            parts.append(" ")
        parts.append(printed(value))
    return "".join(parts)


def _printf(pattern: Value, *values: Value) -> str:
    if not isinstance(pattern, str):
        raise TemplateWrong("printf needs a text first")
    return sprintf(pattern, values)


def _escapable(values: Sequence[Value]) -> str:
    """Return what the escaping functions escape: nothing is a text of its own to them."""
    return _print(*(NO_VALUE if each is None or each is MISSING else each for each in values))


def _js(*values: Value) -> str:
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E"}
    escapes |= {"&": "\\u0026", "=": "\\u003D", "\n": "\\u000A", "\r": "\\u000D", "\t": "\\u0009"}
    return "".join(escapes.get(each, each) for each in _escapable(values))


def _html(*values: Value) -> str:
    return entities.escape(_escapable(values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "eq": _eq,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _less,
    "le": lambda left, right: _less(left, right) or _equal(left, right),
    "gt": lambda left, right: not (_less(left, right) or _equal(left, right)),
    "ge": lambda left, right: not _less(left, right),
    # These two are evaluated one by one, so that what is not needed cannot fail.
    "and": lambda *values: next((each for each in values if not truth(each)), values[-1]),
    "or": lambda *values: next((each for each in values if truth(each)), values[-1]),
    "not": lambda value: not truth(value),
    "len": _len,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "println": lambda *values: " ".join(printed(each) for each in values) + "\n",
    "printf": _printf,
    "html": _html,
    "js": _js,
    "urlquery": lambda *values: quote_plus(_escapable(values)),
}
"""By name; arguments of the wrong number or kind raise TypeError or `TemplateWrong`."""
