"""Certificates: usable, valid now and for a while, and for the hosts that clients call."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from wharfinger.doctor.site import Site, fine, warning, wrong
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding
from wharfinger_common.languages import Text

CHECK: Final = "certificates"
WARN_DAYS: Final = 30
_DAY: Final = 86_400


def certificates(site: Site) -> Iterator[Finding]:
    """Look at the service's certificate and at its authority's."""
    settings = site.settings
    folder = settings.tls_path
    if settings.tls_certificate:
        yield from _served(site, Path(settings.tls_certificate), Path(settings.tls_key))
        return
    if (folder / "ca.pem").exists():
        yield from _pair(site, folder / "ca.pem", folder / "ca.key")
    if settings.tls_port and (folder / "server.pem").exists():
        yield from _served(site, folder / "server.pem", folder / "server.key")


def _served(site: Site, path: Path, key: Path) -> Iterator[Finding]:
    found = list(_pair(site, path, key))
    yield from found
    if not any(finding.entry is doctor.CERTIFICATE_UNREADABLE for finding in found):
        yield from _names(site, path)


def _pair(site: Site, path: Path, key_path: Path) -> Iterator[Finding]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = _load(path)
        key = load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        yield wrong(CHECK, doctor.CERTIFICATE_UNREADABLE, path=path, error=error)
        return
    if key.public_key() != certificate.public_key():
        reason = Text("the key in {path} is not its own", path=key_path)
        yield wrong(CHECK, doctor.CERTIFICATE_UNREADABLE, path=path, error=reason)
        return
    yield _dates(site, path, certificate)


def _dates(site: Site, path: Path, certificate: Any) -> Finding:
    now = datetime.fromtimestamp(site.clock(), UTC)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    days = int((ends - now).total_seconds() // _DAY)
    if not begins <= now < ends:
        return wrong(
            CHECK,
            doctor.CERTIFICATE_EXPIRED,
            path=path,
            begins=begins.date().isoformat(),
            ends=ends.date().isoformat(),
        )
    if days < WARN_DAYS:
        return warning(
            CHECK,
            doctor.CERTIFICATE_ENDS_SOON,
            path=path,
            days=days,
            ends=ends.date().isoformat(),
        )
    what = Text("the certificate in {path} is good until {ends}", path=path, ends=ends.date())
    return fine(CHECK, what)


def _names(site: Site, path: Path) -> Iterator[Finding]:
    named = _named(_load(path))
    for host in sorted(_https_hosts(site)):
        wildcard = "*." + host.partition(".")[2]
        if host not in named and wildcard not in named:
            yield warning(CHECK, doctor.CERTIFICATE_NAMES, path=path, host=host)


def _named(certificate: Any) -> set[str]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value).lower() for name in found.value}


def _https_hosts(site: Site) -> set[str]:
    """Return the hosts by which clients reach this very certificate, as far as settings tell."""
    settings = site.settings
    urls = [urlsplit(url) for url in settings.public_urls]
    hosts = {url.hostname for url in urls if url.scheme == "https" and url.hostname}
    if not urls:
        hosts |= {_plain(host) for region in settings.served for host in region.hosts}
    # Behind a proxy it is the proxy's certificate that clients see.
    return set() if settings.trusted_proxies else hosts


def _plain(host: str) -> str:
    return urlsplit(f"//{host}").hostname or host


def _load(path: Path) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes())
