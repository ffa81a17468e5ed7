"""Is the container client signed in, and does the service still accept what it has stored?"""

from pathlib import Path

from wharf.doctor.clients.stored import Stored, docker_file, podman_files, stored
from wharf.doctor.patient import Patient
from wharf.doctor.registry import exchange, text_of
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.findings import Finding


def credentials(patient: Patient) -> Finding | None:
    """Look at the stored sign-in of the client that is there, Docker before Podman."""
    found = patient.software
    if not (found.docker_works or found.podman):
        return None
    client = "Docker" if found.docker_works else "Podman"
    files = [docker_file(patient)] if found.docker_works else list(podman_files(patient))
    registry = patient.registry.named
    kept = _first(patient, files)
    if kept is None:
        facts = {"client": client, "registry": registry, "path": files[-1]}
        return patient.hinders(entries.CREDENTIALS_MISSING, **facts)
    if kept.reason:
        facts = {"helper": kept.helper, "registry": registry, "path": kept.path}
        return patient.hinders(entries.HELPER_FAILED, reason=kept.reason, **facts)
    came = exchange(patient, kept.user, kept.secret)
    if came.status != 200:
        facts = {"client": client, "registry": registry, "path": kept.path}
        return patient.hinders(entries.CREDENTIALS_REFUSED, text=text_of(came), **facts)
    return patient.works(
        Text("{client} is signed in to {registry}", client=client, registry=registry)
    )


def _first(patient: Patient, files: list[Path]) -> Stored | None:
    return next((kept for path in files if (kept := stored(patient, path))), None)
