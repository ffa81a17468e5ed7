"""What is wrong with a field of a request, in words that are translated.

The kinds of errors are those of pydantic (its page Validation Errors), which FastAPI passes on.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from wharfinger_common.languages import Text

_TRUTH: Final = Text("it must be true or false")
_TEXT: Final = Text("it must be a text")
_WHOLE: Final = Text("it must be an integer")
_OBJECT: Final = Text("it must be a JSON object, sent as application/json")
_PLAIN: Final[Mapping[str, Text]] = {
    "missing": Text("it is missing"),
    "extra_forbidden": Text("there is no such field"),
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": Text("it is too large"),
    "list_type": Text("it must be a list, sent as application/json"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}
_BOUNDED: Final[Mapping[str, Callable[[Mapping[str, Any]], Text]]] = {
    "greater_than_equal": lambda told: Text("it must be {least} or more", least=told["ge"]),
    "less_than_equal": lambda told: Text("it must be {most} or less", most=told["le"]),
    "too_long": lambda told: Text("it may have {most} entries at most", most=told["max_length"]),
    "string_too_long": lambda told: Text(
        "it may have {most} characters at most", most=told["max_length"]
    ),
    "string_too_short": lambda told: Text(
        "it must have {least} characters or more", least=told["min_length"]
    ),
    "string_pattern_mismatch": lambda told: Text(
        "it does not match the pattern {pattern}", pattern=told["pattern"]
    ),
    "literal_error": lambda told: Text(
        "it must be one of {values}", values=str(told["expected"]).replace(" or ", ", ")
    ),
}


class Wrong(ValueError):
    """What a validator of a field finds wrong with it; ``reason`` says what."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason: Final = reason


def shaped(pattern: str, reason: Text) -> Callable[[object], object]:
    """Return a validator that says ``reason`` of a text that ``pattern`` does not match whole.

    For patterns that are published, and that nobody could read in a refusal.
    """
    whole = re.compile(pattern)

    def checked(value: object) -> object:
        if isinstance(value, str) and not whole.fullmatch(value):
            raise Wrong(reason)
        return value

    return checked


def reason_of(found: Mapping[str, Any]) -> Text:
    """Return what is wrong and where, without repeating the value: it may be a password.

    ``found`` is one error as pydantic lists them: ``type``, ``loc`` and perhaps ``ctx``.
    """
    place = ".".join(str(part) for part in found["loc"])
    return Text("{place}: {reason}", place=place, reason=_reason(found))


def _reason(found: Mapping[str, Any]) -> Text:
    kind, told = str(found["type"]), found.get("ctx") or {}
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _BOUNDED:
        return _BOUNDED[kind](told)
    cause = told.get("error")
    return cause.reason if isinstance(cause, Wrong) else Text("it is not valid")
