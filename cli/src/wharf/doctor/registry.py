"""The registry of the image's region: whether it answers, and gives us a token."""

import base64
import re
from typing import Any, Final
from urllib.parse import urlsplit

from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.doctor.service import refused, spoken
from wharf.session import claims
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.control import ControlApi
from wharfinger_common.clients.errors import Answered
from wharfinger_common.clients.transport import Answer, refusal_in
from wharfinger_common.findings import Finding

ROOT: Final = "/v2/"
_PARAMETER: Final = re.compile(r'([a-z]+)="([^"]*)"')


def region(patient: Patient) -> Finding:
    """Find the region whose registry the image is in, the targeted one where no image is given."""
    host = patient.targeted
    if patient.image and patient.reference.host != host:
        return _another(patient, patient.reference.host)
    # Clients call the host that image names begin with, whatever address we use ourselves.
    place = Place(f"{patient.service.scheme}://{host}")
    # The way there has been walked, if it is the service's.
    patient.registry = patient.service if place.named == patient.service.named else place
    return patient.works(Text("The registry is {host}", host=host))


def answer(patient: Patient) -> Finding:
    """Ask the registry how to sign in (OCI distribution 1.1, Determining Support)."""
    came = patient.ask(ROOT)
    told = came.headers.get("www-authenticate", "")
    challenge = dict(_PARAMETER.findall(told))
    if came.status == 401 and told.lower().startswith("bearer ") and "realm" in challenge:
        patient.challenge = challenge
        seen = Text("The registry answers; tokens are at {realm}", realm=patient.challenge["realm"])
        return patient.works(seen)
    return refused(patient, patient.registry, ROOT, came)


def token(patient: Patient) -> Finding:
    """Ask for a registry token as who is signed in, for pulling the image where one is given."""
    came = exchange(patient, "iambearer", patient.context.session.token())
    patient.token = str(spoken(came).get("token", ""))
    if came.status != 200 or not patient.token:
        realm = urlsplit(patient.challenge["realm"])
        return refused(patient, Place(f"{realm.scheme}://{realm.netloc}"), realm.path, came)
    return patient.works(Text("The sign-in brings a registry token"))


def scopes(patient: Patient) -> Finding | None:
    """Look whether the token lets us pull."""
    if not patient.image:
        return None
    name = patient.reference.repository
    granted = _granted(claims(patient.token), name)
    if "pull" not in granted:
        namespace = patient.reference.namespace
        return patient.fails(entries.PULL_NOT_ALLOWED, repository=name, namespace=namespace)
    return patient.works(
        Text(
            "The token lets us {actions} {repository}", actions=", ".join(granted), repository=name
        )
    )


def exchange(patient: Patient, user: str, secret: str) -> Answer:
    """Return what the token endpoint answers to credentials (Distribution token specification)."""
    realm = urlsplit(patient.challenge["realm"])
    query: dict[str, str | int | bool | list[str] | None] = {
        "service": patient.challenge.get("service", "")
    }
    if patient.image:
        query["scope"] = f"repository:{patient.reference.repository}:pull,push"
    login = base64.b64encode(f"{user}:{secret}".encode()).decode()
    transport = patient.transport(Place(f"{realm.scheme}://{realm.netloc}"))
    headers = {"Authorization": f"Basic {login}"}
    return transport.look(realm.path, query=query, headers=headers)


def _another(patient: Patient, host: str) -> Finding:
    told = ControlApi(patient.transport(patient.service)).regions()
    for one in told["regions"]:
        if host in one.get("hosts", [one["host"]]):
            patient.registry = Place(f"{patient.service.scheme}://{host}")
            name = one["display_name"]
            return patient.works(
                Text("The registry is {host}, in the region {region}", host=host, region=name)
            )
    return patient.fails(entries.REGISTRY_ELSEWHERE, host=host)


def _granted(told: dict[str, Any], repository: str) -> list[str]:
    for each in told.get("access") or ():
        if each.get("type") == "repository" and each.get("name") == repository:
            return [str(action) for action in each.get("actions", ())]
    return []


def text_of(came: Answer) -> str:
    """Return what a refusal says."""
    refusal: Answered = refusal_in(came)
    return refusal.text
