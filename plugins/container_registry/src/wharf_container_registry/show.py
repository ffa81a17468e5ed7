"""How answers are shown: sizes, ages, templates."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from wharf.plugin_api import Context, Text

if TYPE_CHECKING:
    from wharf_container_registry.templates import Value

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_STEP: Final = 1000
_AGES: Final = (
    (60, 1, Text("1 second ago"), Text("{count} seconds ago")),
    (3600, 60, Text("1 minute ago"), Text("{count} minutes ago")),
    (86_400, 3600, Text("1 hour ago"), Text("{count} hours ago")),
    (7 * 86_400, 86_400, Text("1 day ago"), Text("{count} days ago")),
    (60 * 86_400, 7 * 86_400, Text("1 week ago"), Text("{count} weeks ago")),
    (730 * 86_400, 30 * 86_400, Text("1 month ago"), Text("{count} months ago")),
    (math.inf, 365 * 86_400, Text("1 year ago"), Text("{count} years ago")),
)
"""Below how many seconds an age is told in a unit of how many, and how."""


def size(count: int, *, digits: int = 3, step: int = _STEP) -> str:
    """Return bytes with a decimal unit and at most ``digits`` significant digits: ``120 MB``."""
    value, unit = float(count), 0
    while value >= step and unit < len(_UNITS) - 1:
        value, unit = value / step, unit + 1
    text = f"{value:.{digits}g}"
    return f"{float(text):g} {_UNITS[unit]}"


def quota_size(count: int) -> str:
    """Return a quota: whole megabytes of 2^20 as the plans have them, larger ones in GB."""
    mebibytes = count / 2**20
    if count < 0:
        return Text("Unlimited")
    if mebibytes < _STEP:
        return f"{round(mebibytes)} MB" if mebibytes >= 1 else size(count, digits=2)
    return f"{round(mebibytes / _STEP, 1):g} GB"


def age(seconds: float) -> Text:
    """Return how long ago something was: ``4 minutes ago``."""
    whole = max(0, int(seconds))
    _, unit, one, many = next(each for each in _AGES if whole < each[0])
    count = whole // unit
    return one if count == 1 else Text(many.message, count=count)


def formatted(context: Context, template: str, values: "Iterable[Value]") -> None:
    """Write a line for each value that the template makes something of.

    Raises:
        TemplateInvalid: the template cannot be rendered.
    """
    from wharf_container_registry.refusals import TemplateInvalid
    from wharf_container_registry.templates import TemplateWrong, render

    for value in values:
        try:
            line = render(template, value)
        except TemplateWrong as error:
            raise TemplateInvalid(reason=str(error)) from error
        if line:
            context.screen.answer(line)


def lines(context: Context, values: Sequence[str]) -> None:
    """Write one value a line, for programs."""
    for value in values:
        context.screen.answer(value)
