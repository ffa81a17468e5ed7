"""``cr token-add``, ``token-get``, ``token-list``, ``token-rm``."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from wharf.plugin_api import Context, Text
from wharf_container_registry.images import partly
from wharf_container_registry.show import formatted
from wharf_container_registry.templates import Struct
from wharfinger_common.clients.control import ControlApi
from wharfinger_common.clients.errors import CallFailed
from wharfinger_common.clients.transport import segment


def add(context: Context) -> None:
    """Ask for a registry token."""
    context.say(Text("Requesting a registry token..."))
    wishes: dict[str, str | int | bool | list[str] | None] = {
        "description": context.call.text("description") or None,
        "permanent": context.call.on("non-expiring"),
        "write": context.call.on("readwrite"),
    }
    told = context.control().call("POST", "/tokens", query=wishes)
    if context.call.on("quiet"):
        context.screen.answer(told["token"])
        return
    context.say()
    context.screen.pairs(
        [
            (context.words(Text("Token identifier")), told["_id"]),
            (context.words(Text("Token")), told["token"]),
        ]
    )
    _end(context)


def get(context: Context) -> None:
    """Show a token again."""
    (wanted,) = context.call.arguments
    context.say(Text("Getting token '{token}'...", token=wanted))
    told = context.control().call("GET", f"/tokens/{segment(wanted)}")
    context.say()
    context.screen.pairs([(context.words(Text("Token")), told["token"])])
    _end(context)


def list_all(context: Context) -> None:
    """List the account's tokens."""
    context.say(Text("Listing tokens..."))
    told = sorted(_all(context.control()), key=lambda one: (not int(one["expiry"]), one["expiry"]))
    rows = [_row(each) for each in told]
    if context.call.given("format"):
        formatted(context, context.call.text("format"), rows)
        return
    if context.screen.machine:
        context.screen.json(told)
        return
    context.say()
    headers = (Text("TOKEN ID"), Text("READ-ONLY"), Text("EXPIRY"), Text("DESCRIPTION"))
    context.screen.table(
        [context.words(each) for each in headers],
        [
            (
                row["ID"],
                "true" if row["ReadOnly"] else "false",
                _date(row["Expiry"]) if row["Expiry"] else context.words(Text("Never")),
                row["Description"],
            )
            for row in rows
        ],
    )
    _end(context)


def remove(context: Context) -> None:
    """Remove tokens, named by their identifier or value."""
    control = context.control()
    failures: list[tuple[str, CallFailed]] = []
    for given in context.call.arguments:
        wanted = _identifier(given)
        context.say(Text("Removing token '{token}'...", token=wanted))
        try:
            control.call("DELETE", f"/tokens/{segment(wanted)}")
        except CallFailed as failure:
            if len(context.call.arguments) == 1:
                raise
            failures.append((wanted, failure))
    if failures:
        raise partly(context, failures)
    _end(context)


def _all(control: ControlApi) -> Iterator[dict[str, Any]]:
    """Yield the tokens of all pages."""
    start: str | None = ""
    while start is not None:
        page = control.call("GET", "/tokens", query={"start": start or None})
        yield from page["tokens"]
        start = page["next"]


def _identifier(given: str) -> str:
    """Return the id of a token that may be given by its value, whose middle holds the id."""
    middle = given.split(".")[1] if given.count(".") == 2 else ""
    try:
        claims = json.loads(base64.b64decode(middle + "=" * (-len(middle) % 4)))
        return str(claims["jti"])
    except (ValueError, KeyError, TypeError):
        return given


def _row(told: dict[str, Any]) -> Struct:
    return Struct(
        ID=told["_id"],
        Expiry=int(told["expiry"]),
        ReadOnly=told["readonly"],
        Description=told["secondary_owner"],
    )


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _end(context: Context) -> None:
    context.say()
    context.ok()
