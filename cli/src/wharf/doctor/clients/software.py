"""Which container clients there are, and what Docker's daemon says of its settings."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wharf.doctor.patient import Patient

SECONDS: Final = 30
"""An unreachable daemon is given up after this time."""


@dataclass(frozen=True, slots=True)
class Software:
    """What is installed; ``daemon`` is what Docker's daemon said, ``reason`` why it did not."""

    docker: str = ""
    podman: str = ""
    daemon: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    @property
    def docker_works(self) -> bool:
        """Whether Docker is there with a daemon that answers."""
        return bool(self.daemon)


def look(patient: "Patient") -> Software:
    """Find the clients in the user's PATH and ask Docker's daemon for its settings."""
    path = patient.context.environ.get("PATH")
    docker, podman = (shutil.which(name, path=path) or "" for name in ("docker", "podman"))
    daemon, reason = _daemon(patient, docker) if docker else ({}, "")
    return Software(docker, podman, daemon, reason)


def run(patient: "Patient", words: list[str], given: str = "") -> tuple[int, str, str]:
    """Run a program of the user's; return exit code (127 if it does not run), output, errors."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own client
            words,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=dict(patient.context.environ),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, "", str(getattr(error, "strerror", None) or error)
    return done.returncode, done.stdout, done.stderr


def home(patient: "Patient") -> Path:
    """Return the user's home folder."""
    from wharf.environment import home as home_of

    return Path(home_of(patient.context.environ))


def _daemon(patient: "Patient", docker: str) -> tuple[dict[str, Any], str]:
    _, out, err = run(patient, [docker, "info", "--format", "{{json .}}"])
    try:
        told = json.loads(out)
    except ValueError:
        told = {}
    # Without a daemon some versions list why, others leave all of it empty and complain aside.
    if told.get("ServerVersion"):
        return dict(told), ""
    errors = told.get("ServerErrors") or ()
    return {}, str(errors[0]) if errors else err.strip()[:200]
