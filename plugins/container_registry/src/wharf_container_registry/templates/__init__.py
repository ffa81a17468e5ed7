"""Go templates, as ``--format`` takes them (Go, package text/template), over plain values.

`render` is all that commands need. What is left out are templates that call others (``define``,
``template``, ``block``) and methods, of which plain values have none.
"""

from wharf_container_registry.templates.evaluate import Limits, evaluate
from wharf_container_registry.templates.parse import parse
from wharf_container_registry.templates.syntax import TemplateWrong
from wharf_container_registry.templates.values import Struct, Value

__all__ = ["Limits", "Struct", "TemplateWrong", "Value", "evaluate", "parse", "render"]


def render(source: str, value: Value, limits: Limits | None = None) -> str:
    """Return what the template ``source`` makes of ``value``.

    Raises:
        TemplateWrong: it does not parse, asks for what the value does not have, or grows too large.
    """
    return evaluate(parse(source), value, limits or Limits())
