"""The steps, in the order in which each needs those before it."""

import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from wharf.doctor.patient import Patient
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.control import ControlApi
from wharfinger_common.clients.errors import (
    CallFailed,
    ConnectionDropped,
    ConnectionRefused,
    NameNotResolved,
    NetworkFailed,
)
from wharfinger_common.clients.failures import CONNECTING, Called, failure_of
from wharfinger_common.clients.identity import IdentityApi
from wharfinger_common.clients.transport import proxy_of, tls_context
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.refusals import Refusal

CLOCK_SECONDS: Final = 60
"""Seconds that two clocks may differ: answers take time, and tokens bear this much."""
SHOWN_ADDRESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Check:
    """A step; ``code`` is what doctor exits with when it fails."""

    name: str
    code: int
    look: Callable[[Patient], Finding | None]
    """Returns what it found; None where the step does not apply here."""


def configuration(patient: Patient) -> Finding:
    """Look at the configuration: readable, private, with a service in it."""
    config = patient.context.config
    patient.endpoint = patient.context.session.endpoint
    for path in (config.folder, config.path):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return patient.warns("config", entries.CONFIG_OPEN, path=path)
    seen = Text(
        "The configuration is in {folder}; the service is {endpoint}",
        folder=config.folder,
        endpoint=patient.endpoint,
    )
    return patient.works("config", seen)


def proxy(patient: Patient) -> Finding | None:
    """Look whether the environment sends us through a proxy."""
    scheme = patient.endpoint.partition("://")[0]
    told = proxy_of(scheme, patient.host, patient.context.environ)
    if not told:
        return None
    return patient.warns("proxy", entries.PROXY_USED, host=patient.host, proxy=_without_login(told))


def resolution(patient: Patient) -> Finding | None:
    """Resolve the name of the service, unless a proxy does."""
    if _behind_proxy(patient):
        return None
    try:
        found = socket.getaddrinfo(patient.host, patient.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NameNotResolved(host=patient.host) from error
    patient.addresses = [(family, address) for family, _, _, _, address in found]
    shown = ", ".join(
        dict.fromkeys(str(address[0]) for _, address in patient.addresses[:SHOWN_ADDRESSES])
    )
    return patient.works("dns", Text("{host} is {addresses}", host=patient.host, addresses=shown))


def connection(patient: Patient) -> Finding | None:
    """Connect to the addresses until one answers."""
    if _behind_proxy(patient):
        return None
    failure: Refusal | None = None
    for family, address in patient.addresses:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as attempt:
                attempt.settimeout(patient.timeout)
                attempt.connect(address)
        except OSError as error:
            failure = _connecting(patient, error)
        else:
            place = f"{address[0]}:{patient.port}"
            return patient.works("tcp", Text("{place} accepts connections", place=place))
    raise failure or NameNotResolved(host=patient.host)


def encryption(patient: Patient) -> Finding | None:
    """Come to an encrypted connection and look at the certificate."""
    if not patient.secure or _behind_proxy(patient):
        return None
    options = patient.context.options()
    try:
        with (
            socket.create_connection((patient.host, patient.port), patient.timeout) as plain,
            tls_context(options).wrap_socket(plain, server_hostname=patient.host) as secure,
        ):
            shown = secure.getpeercert() or {}
    except OSError as error:
        called = Called(patient.endpoint, _place(patient), "", patient.timeout)
        raise failure_of(error, called, CONNECTING) from error
    if not options.verify:
        return patient.works(
            "tls", Text("The certificate is not checked, as the configuration says")
        )
    seen = Text(
        "The certificate of {host} is by {issuer} and ends on {end}",
        host=patient.host,
        issuer=_issuer(shown),
        end=shown.get("notAfter", ""),
    )
    return patient.works("tls", seen)


def answer(patient: Patient) -> Finding:
    """Ask the service who it is."""
    transport = patient.context.transport(patient.endpoint)
    patient.info = ControlApi(transport).info()
    seen = Text(
        "{product} {version} answers",
        product=patient.info.get("product", ""),
        version=patient.info.get("version", ""),
    )
    return patient.works("http", seen)


def clock(patient: Patient) -> Finding:
    """Compare the clocks."""
    told = str(patient.info.get("time", "")).replace("Z", "+00:00")
    try:
        theirs = datetime.fromisoformat(told)
    except ValueError:
        return patient.works("clock", Text("The service does not tell its time"))
    apart = (datetime.now(UTC) - theirs).total_seconds()
    if abs(apart) <= CLOCK_SECONDS:
        return patient.works("clock", Text("The clock agrees with the service's"))
    direction = Text("ahead of") if apart > 0 else Text("behind")
    seconds = round(abs(apart))
    return patient.fails("clock", entries.CLOCK_WRONG, seconds=seconds, direction=direction)


def sign_in(patient: Patient) -> Finding:
    """Look whether somebody is signed in, and whether the service still knows of it."""
    session = patient.context.session
    if not session.signed_in:
        return patient.fails("sign-in", entries.NOT_SIGNED_IN)
    identity = IdentityApi(patient.context.transport(patient.endpoint), session.token(), "")
    bearer = identity.bearer()
    account = session.account_name
    seen = Text(
        "Signed in as {user}, account {account}", user=bearer["name"], account=account or "-"
    )
    return patient.works("sign-in", seen)


CHECKS: Final = (
    Check("config", 10, configuration),
    Check("proxy", 11, proxy),
    Check("dns", 12, resolution),
    Check("tcp", 13, connection),
    Check("tls", 14, encryption),
    Check("http", 15, answer),
    Check("clock", 16, clock),
    Check("sign-in", 17, sign_in),
)


def walk(patient: Patient, checks: tuple[Check, ...] = CHECKS) -> Iterator[tuple[Check, Finding]]:
    """Run the steps and yield what each found; the first that fails is the last."""
    for check in checks:
        try:
            finding = check.look(patient)
        except Refusal as refusal:
            finding = patient.refused(check.name, refusal)
        if finding is None:
            continue
        yield check, finding
        if finding.severity is Severity.ERROR:
            return


def _behind_proxy(patient: Patient) -> bool:
    scheme = patient.endpoint.partition("://")[0]
    return bool(proxy_of(scheme, patient.host, patient.context.environ))


def _connecting(patient: Patient, error: OSError) -> CallFailed:
    place = _place(patient)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused(host=place)
    if isinstance(error, TimeoutError):
        return ConnectionDropped(host=place, seconds=f"{patient.timeout:g}")
    return NetworkFailed(host=place, reason=error.strerror or str(error))


def _place(patient: Patient) -> str:
    return f"{patient.host}:{patient.port}"


def _issuer(shown: dict[str, Any]) -> str:
    names = {name: value for part in shown.get("issuer", ()) for name, value in part}
    return str(names.get("commonName") or names.get("organizationName") or "?")


def _without_login(url: str) -> str:
    return url.rpartition("@")[2].rpartition("//")[2]
