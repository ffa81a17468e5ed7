"""Client commands and what they answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND_SECONDS = 180
CLIENT_VARIABLES = ("DOCKER_", "REGISTRY_", "HELM_", "CONTAINERS_", "BUILDAH_", "XDG_")


@dataclass(frozen=True)
class Result:
    """What a command answered: its exit status and both outputs together, as a person sees them."""

    command: tuple[str, ...]
    status: int
    output: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    def succeeded(self) -> Result:
        assert self.ok, f"{' '.join(self.command)}: exit {self.status}\n{self.output}"
        return self

    def refused(self, *texts: str) -> Result:
        """Checks that the command failed and that what it printed names each text."""
        assert not self.ok, f"{' '.join(self.command)} succeeded:\n{self.output}"
        for text in texts:
            assert text in self.output, f"{text!r} is not in:\n{self.output}"
        return self


def run(
    command: Sequence[str | Path],
    *,
    home: Path,
    given: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Result:
    """Runs a client with a home folder of its own and none of the caller's client settings."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(CLIENT_VARIABLES)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=home,
        env={**inherited, "HOME": str(home), "LC_ALL": "C.UTF-8", **(variables or {})},
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=COMMAND_SECONDS,
        text=True,
        check=False,
    )
    return Result(tuple(str(part) for part in command), done.returncode, done.stdout)
