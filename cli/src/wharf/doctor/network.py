"""The way to an address: proxy, name, connection."""

import socket
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.errors import NameNotResolved, ProxyFailed
from wharfinger_common.clients.failures import CONNECTING, failure_of
from wharfinger_common.clients.transport import proxy_of
from wharfinger_common.clients.wire import proxy_login, without_login
from wharfinger_common.findings import Finding
from wharfinger_common.refusals import Refusal

SHOWN_ADDRESSES: Final = 4
_PROXY_PORT: Final = 80


def proxy(patient: Patient, place: Place) -> Finding | None:
    """Look whether the environment sends us through a proxy, and whether that lets us through."""
    told = proxy_between(patient, place)
    if not told:
        return None
    opened(patient, place).close()
    return patient.warns(entries.PROXY_USED, host=place.host, proxy=without_login(told))


def resolution(patient: Patient, place: Place) -> Finding | None:
    """Resolve the name, unless a proxy does."""
    if proxy_between(patient, place):
        return None
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            return patient.fails(entries.DNS_AWAY, host=place.host)
        raise NameNotResolved(host=place.host) from error
    except (OSError, UnicodeError) as error:
        raise NameNotResolved(host=place.host) from error
    place.addresses = [(family, address) for family, _, _, _, address in found]
    some = [str(address[0]) for _, address in place.addresses[:SHOWN_ADDRESSES]]
    shown = ", ".join(dict.fromkeys(some))
    return patient.works(Text("{host} is {addresses}", host=place.host, addresses=shown))


def connection(patient: Patient, place: Place) -> Finding | None:
    """Connect to the addresses until one answers."""
    if proxy_between(patient, place):
        return None
    with opened(patient, place) as standing:
        where = f"{standing.getpeername()[0]}:{place.port}"
    return patient.works(Text("{place} accepts connections", place=where))


def opened(patient: Patient, place: Place) -> socket.socket:
    """Return a connection to a place, through the proxy's CONNECT where there is one and TLS.

    Raises:
        CallFailed: none came about; which one tells how.
    """
    told = proxy_between(patient, place)
    if told:
        return _through(patient, place, told)
    failure: Refusal | None = None
    for family, address in place.addresses:
        attempt = socket.socket(family, socket.SOCK_STREAM)
        attempt.settimeout(patient.timeout)
        try:
            attempt.connect(address)
        except OSError as error:
            attempt.close()
            failure = failure_of(error, patient.called(place), CONNECTING)
        else:
            return attempt
    raise failure or NameNotResolved(host=place.host)


def proxy_between(patient: Patient, place: Place) -> str:
    """Return the proxy that the environment names for a place, '' for none."""
    return proxy_of(place.scheme, place.host, patient.context.environ)


def _through(patient: Patient, place: Place, told: str) -> socket.socket:
    parts = urlsplit(told)
    line = HTTPConnection(parts.hostname or "", parts.port or _PROXY_PORT, timeout=patient.timeout)
    if place.secure:
        line.set_tunnel(place.host, place.port, proxy_login(parts))
    try:
        line.connect()
    except (OSError, HTTPException, UnicodeError) as error:
        line.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ProxyFailed(proxy=without_login(told), host=str(place), reason=reason) from error
    standing: socket.socket = line.sock
    return standing
