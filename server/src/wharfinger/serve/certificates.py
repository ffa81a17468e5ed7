"""The service's own certificate authority and the server certificate it issues.

Certificate profile: RFC 5280; ECDSA P-256 keys, which every container client accepts.
"""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from wharfinger.serve.files import make_private_folder, write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_YEARS: Final = 10
SERVER_DAYS: Final = 397
RENEW_DAYS: Final = 30
_CERTIFICATE: Final = "ca.pem"
_KEY: Final = "ca.key"


class AuthorityUnusable(RuntimeError):
    """The files of the certificate authority are not what this service wrote."""


class CertificateFiles(Struct, frozen=True):
    """Where the PEM files are; ``chain`` holds the server's certificate, then its authority's."""

    authority: Path
    chain: Path
    key: Path


def has_authority(folder: Path) -> bool:
    """Whether the authority of ``folder`` is there, whole."""
    return all((folder / name).exists() for name in (_CERTIFICATE, _KEY))


def ensure_authority(folder: Path) -> Path:
    """Return the authority's certificate file in ``folder``, made at the first call."""
    certificate = folder / _CERTIFICATE
    if not has_authority(folder):
        make_private_folder(folder)
        _make_authority(certificate, folder / _KEY)
    return certificate


def ensure_server_certificate(folder: Path, names: tuple[str, ...]) -> CertificateFiles:
    """Return a server certificate for localhost, this host and ``names``.

    It is issued anew when the names changed, fewer than `RENEW_DAYS` days are left, or it cannot
    be read.

    Raises:
        AuthorityUnusable: the authority cannot issue it; what to do is in the text.
    """
    files = CertificateFiles(ensure_authority(folder), folder / "server.pem", folder / "server.key")
    wanted = sorted({"localhost", "127.0.0.1", "::1", socket.gethostname(), *names})
    if not _still_good(files, wanted):
        try:
            _issue(files, folder / _KEY, wanted)
        except (ValueError, TypeError) as error:
            raise AuthorityUnusable(
                f"the certificate authority in {folder} cannot be used: {error}; put "
                f"{_CERTIFICATE} and {_KEY} back from a backup, or remove both: the next start "
                "makes another authority, which clients have to be told to trust"
            ) from error
    return files


def _make_authority(certificate: Path, key_file: Path) -> None:
    from cryptography import x509

    key = _new_key()
    name = _name("Wharfinger certificate authority")
    built = (
        _builder(name, name, key, AUTHORITY_YEARS * 365)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    # The key goes first: a certificate without its key would look like a finished authority.
    write_private(key_file, _pem_key(key))
    write_private(certificate, _signed(built, key))


def _issue(files: CertificateFiles, authority_key: Path, names: list[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer = x509.load_pem_x509_certificate(files.authority.read_bytes())
    issuer_key = load_pem_private_key(authority_key.read_bytes(), None)
    if not isinstance(issuer_key, EllipticCurvePrivateKey):
        raise TypeError(f"{authority_key} holds no elliptic-curve key")
    key = _new_key()
    built = (
        _builder(_name(names[0]), issuer.subject, key, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    write_private(files.key, _pem_key(key))
    write_private(files.chain, _signed(built, issuer_key) + files.authority.read_bytes())


def _still_good(files: CertificateFiles, names: list[str]) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not (files.chain.exists() and files.key.exists()):
        return False
    try:
        certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), None)
    except (ValueError, TypeError):
        return False
    present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        sorted(str(name.value) for name in present) == names
        and certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=RENEW_DAYS)
        and certificate.public_key() == key.public_key()
    )


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: "x509.Name", issuer: "x509.Name", key: "EllipticCurvePrivateKey", days: int
) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_key(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _signed(builder: "x509.CertificateBuilder", key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
