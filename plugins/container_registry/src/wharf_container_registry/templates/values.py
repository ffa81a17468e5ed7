"""Values that templates see, and how Go prints, orders and judges them (Go, package fmt)."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""None, bool, int, float, str, a sequence or mapping of values, or a `Struct`."""

NO_VALUE = "<no value>"
_LARGEST_PLAIN = 1e6
_SMALLEST_PLAIN = 1e-4


class Struct(dict[str, Value]):
    """Named fields in their order: printed as ``{a b}``; asking for another field is an error."""


class Missing:
    """What a mapping answers for a key that it lacks."""


MISSING = Missing()


def truth(value: Value) -> bool:
    """Whether ``if`` takes the value for true: not false, 0, nil, empty."""
    if isinstance(value, Struct):
        return True
    return not isinstance(value, Missing) and bool(value)


def printed(value: Value) -> str:
    """Return the value as ``%v`` prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, Missing):
        return "<nil>"
    if isinstance(value, float):
        return printed_float(value)
    return str(value) if isinstance(value, str | int) else _compound(value)


def _compound(value: Value) -> str:
    if isinstance(value, Struct):
        return "{" + " ".join(printed(each) for each in value.values()) + "}"
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: str(pair[0]))
        return f"map[{' '.join(f'{key}:{printed(each)}' for key, each in pairs)}]"
    return f"[{' '.join(printed(each) for each in value)}]"


def printed_float(value: float) -> str:
    """Return the float as ``%v`` prints it: the shortest digits, exponents only where long."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = repr(value)
    size = abs(value)
    if size and (size < _SMALLEST_PLAIN or size >= _LARGEST_PLAIN):
        return _exponent(digits, value)
    return digits.removesuffix(".0")


def _exponent(digits: str, value: float) -> str:
    if "e" not in digits:
        # As many digits as tell the value from its neighbours.
        shortest = digits.lstrip("-").removesuffix(".0").replace(".", "").strip("0")
        digits = f"{value:.{max(len(shortest) - 1, 0)}e}"
    mantissa, _, exponent = digits.partition("e")
    number = int(exponent)
    return f"{mantissa.removesuffix('.0')}e{'-' if number < 0 else '+'}{abs(number):02d}"
