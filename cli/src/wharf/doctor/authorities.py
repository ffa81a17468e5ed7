"""Names in certificates that Python's own TLS does not decode, as they were not accepted."""

from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID


def issuer_of(certificate: bytes) -> str:
    """Return who signed a certificate (DER), '' where it cannot be read."""
    try:
        return _shown(x509.load_der_x509_certificate(certificate).issuer)
    except ValueError:
        return ""


def names_in(path: str) -> list[str]:
    """Return the names of the authorities in a PEM file, none where it cannot be read."""
    try:
        found = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError):
        return []
    return [_shown(each.subject) for each in found]


def _shown(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(kind):
            return str(found[0].value)
    return name.rfc4514_string()
