"""``explain``: what a code means, or why a request was refused."""

import re
from typing import Any, Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

REQUEST_ID: Final = re.compile(r"[0-9a-f]{24}")

COMMANDS: Final = (
    Command(
        "explain",
        Text("Tell what an error code means, or why a request was refused"),
        "wharf.commands.explain:explain",
        arguments="CODE | REQUEST-ID",
        least=1,
        most=1,
        flags=(Flag("output", Text("Form of the output"), "choice", choices=("text", "json")),),
    ),
)


def explain(context: Context) -> None:
    """Explain a code from the catalogue of this machine, a request through the service."""
    wanted = context.call.arguments[0].strip()
    if REQUEST_ID.fullmatch(wanted.lower()):
        _request(context, wanted.lower())
    else:
        _code(context, wanted.upper())


def _code(context: Context, code: str) -> None:
    from wharf.refusals import CodeUnknown
    from wharfinger_common.catalogue import load
    from wharfinger_common.pages import Page

    entries = load().entries.values()
    found = [one for one in entries if one.code == code] or [
        one for one in entries if code in {one.control, one.iam, one.oci} and one.status
    ]
    if not found:
        raise CodeUnknown(code=code)
    pages = [Page.of(entry, context.words.language) for entry in found]
    if context.screen.machine:
        context.screen.json([_told(context, page) for page in pages])
        return
    context.screen.answer("\n".join(_named(context, page.plain()) for page in pages).rstrip())


def _told(context: Context, page: Any) -> dict[str, Any]:
    return {
        "code": page.code,
        "message": _named(context, page.message),
        "meaning": _named(context, page.meaning),
        "causes": [_named(context, cause) for cause in page.causes],
        "cure": [_named(context, step) for step in page.cure],
    }


def _named(context: Context, text: str) -> str:
    """Fill in what the host knows; what only a refusal knows stays in braces."""
    brand = context.brand
    known = {"command": brand.command, "product": brand.product, "cli": brand.cli}
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _request(context: Context, request_id: str) -> None:
    told = context.control().explain(request_id)
    if context.screen.machine:
        context.screen.json(told)
        return
    for name, value in told.items():
        for line in _lines(name, value):
            context.screen.answer(line)


def _lines(name: str, value: Any, depth: int = 0) -> list[str]:
    margin = "  " * depth
    label = name.replace("_", " ").capitalize()
    if isinstance(value, dict):
        inner = [line for key, each in value.items() for line in _lines(key, each, depth + 1)]
        return [f"{margin}{label}:", *inner]
    if isinstance(value, list):
        return [f"{margin}{label}:", *(f"{margin}  - {each}" for each in value)]
    return [] if value in {None, ""} else [f"{margin}{label}: {value}"]
