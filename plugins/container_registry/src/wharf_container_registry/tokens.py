"""``cr token-add``, ``token-get``, ``token-list``, ``token-rm``."""

import time
from typing import Any

from wharf.plugin_api import Context, Text
from wharf_container_registry.images import partly
from wharf_container_registry.show import formatted
from wharf_container_registry.templates import Struct
from wharfinger_common.clients.errors import CallFailed
from wharfinger_common.clients.transport import segment


def add(context: Context) -> None:
    """Ask for a registry token."""
    context.say(Text("Requesting a registry token..."))
    body = {
        "description": context.call.text("description"),
        "non_expiring": context.call.on("non-expiring"),
        "read_write": context.call.on("readwrite"),
    }
    told = context.control().call("POST", "/tokens", body=body)
    if context.call.on("quiet"):
        context.screen.answer(told["token"])
        return
    context.say()
    context.screen.pairs(
        [
            (context.words(Text("Token identifier")), told["id"]),
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
    told = context.control().call("GET", "/tokens")
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
    known = {one["token"]: one["id"] for one in control.call("GET", "/tokens") if "token" in one}
    for given in context.call.arguments:
        wanted = known.get(given, given)
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


def _row(told: dict[str, Any]) -> Struct:
    return Struct(
        ID=told["id"],
        Expiry=int(told.get("expiry") or 0),
        ReadOnly=not told.get("read_write", False),
        Description=told.get("description", ""),
    )


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _end(context: Context) -> None:
    context.say()
    context.ok()
