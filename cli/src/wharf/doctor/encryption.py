"""TLS to an address: which certificate came, and who signed it."""

import socket
import ssl
from typing import Any

from wharf.doctor.network import opened
from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.errors import CertificateUntrusted
from wharfinger_common.clients.failures import CONNECTING, failure_of
from wharfinger_common.clients.transport import tls_context
from wharfinger_common.findings import Finding


def encryption(patient: Patient, place: Place) -> Finding | None:
    """Come to an encrypted connection and look at the certificate."""
    if not place.secure:
        return None
    options = patient.context.options()
    context = tls_context(options)
    try:
        with opened(patient, place) as plain, _wrapped(context, plain, place) as secure:
            shown = secure.getpeercert() or {}
    except OSError as error:
        failure = failure_of(error, patient.called(place), CONNECTING)
        if options.ca_file and isinstance(failure, CertificateUntrusted):
            return _of_another(patient, place, options.ca_file, failure)
        raise failure from error
    if not options.verify:
        seen = Text("The certificate is not checked, as the configuration says")
        return patient.works(seen)
    seen = Text(
        "The certificate of {host} is by {issuer} and ends on {end}",
        host=place.host,
        issuer=_issuer(shown),
        end=shown.get("notAfter", ""),
    )
    return patient.works(seen)


def trusts(context: ssl.SSLContext, patient: Patient, place: Place) -> bool:
    """Tell whether ``context`` accepts the certificate of a place."""
    try:
        with opened(patient, place) as plain, _wrapped(context, plain, place):
            return True
    except OSError:
        return False


def _wrapped(context: ssl.SSLContext, plain: socket.socket, place: Place) -> ssl.SSLSocket:
    return context.wrap_socket(plain, server_hostname=place.host)


def _of_another(
    patient: Patient, place: Place, path: str, failure: CertificateUntrusted
) -> Finding:
    """Tell an authority that has a new key from somebody who answers in the service's stead."""
    from wharf.doctor.authorities import issuer_of, names_in

    issuer, trusted = issuer_of(_unchecked(patient, place)), names_in(path)
    if not trusted or not issuer:
        raise failure
    facts = {"host": str(place), "issuer": issuer, "path": path}
    if issuer in trusted:
        return patient.fails(entries.AUTHORITY_RENEWED, **facts)
    return patient.fails(entries.INTERCEPTED, trusted=", ".join(trusted), **facts)


def _unchecked(patient: Patient, place: Place) -> bytes:
    """Return the certificate that is shown (DER), whoever signed it; nothing is sent there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with opened(patient, place) as plain, _wrapped(context, plain, place) as secure:
            return secure.getpeercert(binary_form=True) or b""
    except OSError:
        return b""


def _issuer(shown: dict[str, Any]) -> str:
    names = {name: value for part in shown.get("issuer", ()) for name, value in part}
    return str(names.get("commonName") or names.get("organizationName") or "?")
