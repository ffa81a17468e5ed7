"""What answers at the address of the service, and whether it knows us."""

import json
import re
from typing import Any, Final

from wharf.context import REGISTRY_PLUGIN
from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.plugins.installed import Plugins
from wharf.refusals import Failure
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.errors import AnswerUnusable
from wharfinger_common.clients.identity import IdentityApi
from wharfinger_common.clients.transport import Answer, refusal_in
from wharfinger_common.findings import Finding

INFO: Final = "/api/v1/info"
SHOWN: Final = 80
_TITLE: Final = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


def answer(patient: Patient) -> Finding:
    """Ask the service who it is."""
    try:
        came = patient.transport(patient.service).look(INFO)
    except AnswerUnusable as failure:
        return _no_http(patient, patient.service, failure)
    told = spoken(came)
    if came.status >= 300 or "version" not in told:
        return refused(patient, patient.service, INFO, came)
    patient.info = told
    seen = Text(
        "{product} {version} answers",
        product=told.get("product", ""),
        version=told.get("version", ""),
    )
    return patient.works(seen)


def sign_in(patient: Patient) -> Finding:
    """Look whether somebody is signed in, and whether the service still knows of it."""
    session = patient.context.session
    if not session.signed_in:
        return patient.fails(entries.NOT_SIGNED_IN)
    bearer = IdentityApi(patient.transport(patient.service), session.token(), "").bearer()
    account = session.account_name or "-"
    return patient.works(
        Text("Signed in as {user}, account {account}", user=bearer["name"], account=account)
    )


def plugins(patient: Patient) -> Finding:
    """Look for the plug-in of cr, and whether the service still takes those that are there."""
    least = patient.info.get("plugins")
    minimums: dict[str, Any] = least if isinstance(least, dict) else {}
    shown = []
    installed = Plugins(patient.context.config.folder)
    if installed.get(REGISTRY_PLUGIN) is None:
        return patient.warns(entries.PLUGIN_MISSING, plugin=REGISTRY_PLUGIN)
    for plugin in installed:
        try:
            plugin.require_usable()
            plugin.require_allowed(str(minimums.get(plugin.name) or ""))
        except Failure as failure:
            return patient.hinders(failure.entry, **failure.items[0])
        shown.append(f"{plugin.name} {plugin.version}")
    return patient.works(Text("Plug-ins that the service takes: {list}", list=", ".join(shown)))


def spoken(came: Answer) -> dict[str, Any]:
    """Return the object that an answer holds, an empty one where it is no JSON object."""
    try:
        told = json.loads(came.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def refused(patient: Patient, place: Place, path: str, came: Answer) -> Finding:
    """Return what an answer that is no success means: the service's own no, or another's.

    Raises:
        Answered: it is the service's.
    """
    told = spoken(came)
    if told.get("errors") or told.get("request-id"):
        raise refusal_in(came)
    return between(patient, place, path, came)


def between(patient: Patient, place: Place, path: str, came: Answer) -> Finding:
    """Return the finding that something on the way gave this answer."""
    title = _TITLE.search(came.content)
    page = title.group(1).decode(errors="replace").strip() if title else ""
    named = came.headers.get("via") or came.headers.get("server") or ""
    told = page or came.headers.get("location", "") or named
    shown = told[:SHOWN] or Text("an answer without a name")
    url = f"{place.url}{path}"
    facts = {"url": url, "host": place.host, "status": came.status, "shown": shown}
    return patient.fails(entries.ANSWER_BETWEEN, **facts)


def _no_http(patient: Patient, place: Place, failure: AnswerUnusable) -> Finding:
    shown = str(failure.items[0].get("reason", ""))
    facts = {"url": f"{place.url}{INFO}", "host": place.host, "status": "-", "shown": shown}
    return patient.fails(entries.ANSWER_BETWEEN, **facts)
