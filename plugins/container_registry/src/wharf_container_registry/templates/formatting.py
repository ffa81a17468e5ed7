"""``printf``: the verbs of Go's package fmt that plain values need."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from wharf_container_registry.templates.syntax import TemplateWrong
from wharf_container_registry.templates.values import MISSING, Struct, Value, printed

MAX_WIDTH: Final = 10_000
_VERB: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>[0-9]*)(?:(?P<dot>\.)(?P<precision>[0-9]*))?(?P<verb>.?)",
    re.DOTALL,
)
_INTEGERS: Final = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
_FLOATS: Final = frozenset("eEfFgG")


def sprintf(pattern: str, values: Sequence[Value]) -> str:
    """Return the pattern with the values in it; what does not fit is told as Go tells it.

    Raises:
        TemplateWrong: a width or precision exceeds `MAX_WIDTH`.
    """
    left = iter(values)
    text = _VERB.sub(lambda found: _formatted(found, left), pattern)
    rest = list(left)
    if rest:
        told = ", ".join(map(_told, rest))
        text += f"%!(EXTRA {told})"
    return text


def _formatted(found: re.Match[str], values: Iterator[Value]) -> str:
    verb = found["verb"]
    if verb == "%":
        return "%"
    if not verb:
        return "%!(NOVERB)"
    width = _bounded(found["width"])
    precision = _bounded(found["precision"]) if found["dot"] else None
    try:
        value = next(values)
    except StopIteration:
        return f"%!{verb}(MISSING)"
    flags = found["flags"]
    text = _verb(verb, value, flags, precision)
    if text is None:
        return f"%!{verb}({_told(value)})"
    return _padded(text, flags, width, numeric=_is_number(value))


def _bounded(text: str | None) -> int:
    number = int(text or 0)
    if number > MAX_WIDTH:
        raise TemplateWrong(f"printf: a width of {number} is too large")
    return number


def _verb(verb: str, value: Value, flags: str, precision: int | None) -> str | None:
    """Return the value as the verb shows it, None where they do not fit."""
    number = _is_number(value)
    if verb == "v":
        text = _named(value) if "+" in flags and not number else printed(value)
        return _signed(text, flags.replace("+", "")) if number else text
    if verb in _FLOATS and isinstance(value, float):
        return _signed(_float(verb, value, precision), flags)
    if isinstance(value, int) and not isinstance(value, bool):
        return _integer(verb, value, flags)
    by_verb: Mapping[str, Callable[[], str | None]] = {
        "t": lambda: printed(value) if isinstance(value, bool) else None,
        "s": lambda: _text(value, precision),
        "q": lambda: json.dumps(value, ensure_ascii=False) if isinstance(value, str) else None,
        "x": lambda: value.encode().hex() if isinstance(value, str) else None,
        "X": lambda: value.encode().hex().upper() if isinstance(value, str) else None,
    }
    return by_verb[verb]() if verb in by_verb else None


def _integer(verb: str, value: int, flags: str) -> str | None:
    if verb == "c":
        return chr(value) if 0 <= value < 0x110000 else "\ufffd"
    if verb == "q":
        return "'" + chr(value) + "'" if 0 <= value < 0x110000 else "'\ufffd'"
    if verb not in _INTEGERS:
        return None
    digits = format(abs(value), _INTEGERS[verb])
    prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
    return _signed(f"{'-' if value < 0 else ''}{prefix}{digits}", flags)


def _float(verb: str, value: float, precision: int | None) -> str:
    if verb in "gG" and precision is None:
        return printed(value)
    return format(value, f".{6 if precision is None else precision}{verb}")


def _text(value: Value, precision: int | None) -> str | None:
    if isinstance(value, str):
        return value if precision is None else value[:precision]
    plain = isinstance(value, bool | int | float) or value is None or value is MISSING
    return None if plain else printed(value)


def _named(value: Value) -> str:
    if isinstance(value, Struct):
        return "{" + " ".join(f"{name}:{_named(each)}" for name, each in value.items()) + "}"
    return printed(value)


def _signed(text: str, flags: str) -> str:
    if text.startswith(("-", "+")):
        return text
    return ("+" if "+" in flags else " " if " " in flags else "") + text


def _padded(text: str, flags: str, width: int, *, numeric: bool) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and numeric:
        sign = text[:1] if text[:1] in {"-", "+", " "} else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _told(value: Value) -> str:
    text = printed(value)
    return text if _type(value) == text else f"{_type(value)}={text}"


def _type(value: Value) -> str:
    for name, kind in (("bool", bool), ("int", int), ("float64", float), ("string", str)):
        if isinstance(value, kind):
            return name
    if value is None or value is MISSING:
        return "<nil>"
    return "map" if isinstance(value, Mapping) else "slice"
