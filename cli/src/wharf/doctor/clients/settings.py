"""May the client call this registry: without TLS, with its authority, past the daemon's proxy?"""

import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from wharf.doctor.clients.software import home
from wharf.doctor.encryption import trusts
from wharf.doctor.patient import Patient
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.transport import proxy_of
from wharfinger_common.clients.wire import without_login
from wharfinger_common.findings import Finding

DOCKER_CERTIFICATES: Final = Path("/etc/docker/certs.d")
PODMAN_CERTIFICATES: Final = Path("/etc/containers/certs.d")


def settings(patient: Patient) -> Finding | None:
    """Look at the settings of each client that is there; the first that is in the way is told."""
    found = patient.software
    if found.docker_works and (finding := _docker(patient, found.daemon)):
        return finding
    if found.podman and (finding := _podman(patient)):
        # Docker beside it can pull.
        return finding
    if not (found.docker_works or found.podman):
        return None
    host = patient.registry.named
    return patient.works(Text("The settings of the client let it call {host}", host=host))


def _docker(patient: Patient, daemon: dict[str, Any]) -> Finding | None:
    registry = patient.registry
    if _docker_insecure(patient, daemon.get("RegistryConfig") or {}):
        return _docker_proxy(patient, daemon)
    if not registry.secure:
        place = '/etc/docker/daemon.json ("insecure-registries")'
        facts = {"client": "Docker", "registry": registry.named, "place": place}
        return patient.hinders(entries.CLIENT_WANTS_TLS, **facts)
    return _distrusted(patient, "Docker", [DOCKER_CERTIFICATES]) or _docker_proxy(patient, daemon)


def _docker_insecure(patient: Patient, told: dict[str, Any]) -> bool:
    """Tell whether the daemon calls the registry without TLS, or without checking it."""
    known = (told.get("IndexConfigs") or {}).get(patient.registry.named)
    if known is not None:
        return not known.get("Secure", True)
    networks = [ipaddress.ip_network(each) for each in told.get("InsecureRegistryCIDRs") or ()]
    found = {ipaddress.ip_address(address[0]) for _, address in patient.registry.addresses}
    return any(one in network for one in found for network in networks)


def _docker_proxy(patient: Patient, daemon: dict[str, Any]) -> Finding | None:
    told = {
        "http_proxy": str(daemon.get("HttpProxy") or ""),
        "https_proxy": str(daemon.get("HttpsProxy") or ""),
        "no_proxy": str(daemon.get("NoProxy") or ""),
    }
    registry = patient.registry
    proxy = proxy_of(registry.scheme, registry.host, told)
    if not proxy:
        return None
    facts = {"registry": registry.named, "proxy": without_login(proxy)}
    return patient.warns(entries.CLIENT_PROXY, **facts)


def _podman(patient: Patient) -> Finding | None:
    registry = patient.registry
    if any(each == registry.named for each in _podman_insecure(patient)):
        return None
    report = patient.warns if patient.software.docker_works else patient.hinders
    if not registry.secure:
        place = "/etc/containers/registries.conf (insecure = true)"
        facts = {"client": "Podman", "registry": registry.named, "place": place}
        return report(entries.CLIENT_WANTS_TLS, **facts)
    own = home(patient) / ".config/containers/certs.d"
    return _distrusted(patient, "Podman", [PODMAN_CERTIFICATES, DOCKER_CERTIFICATES, own])


def _podman_insecure(patient: Patient) -> Iterator[str]:
    """Yield the registries that may be called without TLS (containers-registries.conf)."""
    import tomllib

    own = home(patient) / ".config/containers"
    main = own / "registries.conf"
    files = [main if main.exists() else Path("/etc/containers/registries.conf")]
    for folder in (Path("/etc/containers"), own):
        files += sorted((folder / "registries.conf.d").glob("*.conf"))
    for path in files:
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for each in told.get("registry") or ():
            if isinstance(each, dict) and each.get("insecure"):
                yield str(each.get("location") or each.get("prefix") or "")


def _distrusted(patient: Patient, client: str, folders: list[Path]) -> Finding | None:
    """Tell that the client does not know the authority, which neither the system trusts."""
    registry = patient.registry
    if not patient.context.config.ca_file:
        return None
    if any(list((folder / registry.named).glob("*.crt")) for folder in folders):
        return None
    if trusts(ssl.create_default_context(), patient, registry):
        return None
    place = folders[0] / registry.named / "ca.crt"
    report = patient.hinders
    if client == "Podman" and patient.software.docker_works:
        report = patient.warns
    facts = {"client": client, "registry": registry.named, "place": place}
    return report(entries.CLIENT_DISTRUSTS, **facts)
