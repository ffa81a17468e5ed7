"""Where container clients keep sign-ins, and what is stored there for a registry."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wharf.doctor.clients.software import home, run
from wharf.doctor.patient import Patient


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file has for a registry: a user and a secret, or why its helper gave none."""

    path: Path
    user: str = ""
    secret: str = ""
    helper: str = ""
    reason: str = ""


def docker_file(patient: Patient) -> Path:
    """Return the file of Docker's settings."""
    told = patient.context.environ.get("DOCKER_CONFIG")
    return Path(told or home(patient) / ".docker") / "config.json"


def podman_files(patient: Patient) -> Iterator[Path]:
    """Yield the files that Podman reads, in its order (containers-auth.json)."""
    import os

    environ = patient.context.environ
    if told := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(told)
        return
    runtime = environ.get("XDG_RUNTIME_DIR")
    yield Path(runtime or f"/run/containers/{os.getuid()}") / (
        "containers/auth.json" if runtime else "auth.json"
    )
    yield home(patient) / ".config/containers/auth.json"
    yield docker_file(patient)


def stored(patient: Patient, path: Path) -> Stored | None:
    """Return what ``path`` has for the registry, None where it has nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    registry = patient.registry.named
    # An empty name means none for this registry, whatever there is for the others.
    helper = (content.get("credHelpers") or {}).get(registry, content.get("credsStore"))
    if helper:
        return _by_helper(patient, path, str(helper), registry)
    auths = content.get("auths") or {}
    found = auths.get(registry) or auths.get(f"https://{registry}")
    return _written(path, found) if isinstance(found, dict) else None


def _written(path: Path, found: dict[str, Any]) -> Stored | None:
    try:
        user, colon, secret = base64.b64decode(str(found.get("auth", ""))).decode().partition(":")
    except ValueError:
        return None
    return Stored(path, user, secret) if colon else None


def _by_helper(patient: Patient, path: Path, helper: str, registry: str) -> Stored | None:
    program = f"docker-credential-{helper}"
    code, out, err = run(patient, [program, "get"], registry)
    told = out.strip() or err.strip()
    if code and "credentials not found" in told:
        return None
    if code:
        return Stored(path, helper=program, reason=told[:200])
    try:
        given = json.loads(out)
        return Stored(path, str(given["Username"]), str(given["Secret"]), program)
    except (ValueError, KeyError, TypeError):
        return Stored(path, helper=program, reason=told[:200])
