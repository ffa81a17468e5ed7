"""Asks doctor, and makes the conditions that it is to tell apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.command_line import CommandLine

Findings = list[dict[str, Any]]


def aimed(user: CommandLine, endpoint: str) -> None:
    """Write the endpoint into the configuration, as nobody answers there to be asked first."""
    user.folder.mkdir(mode=0o700, exist_ok=True)
    path = user.folder / "config.json"
    path.write_text(json.dumps({"SessionFormat": 2, "APIEndpoint": endpoint}))
    path.chmod(0o600)


def findings(user: CommandLine, *words: str, **variables: str) -> tuple[int, Findings]:
    """Exit code and findings of ``doctor``."""
    done = user("doctor", *words, "--output", "json", variables=variables)
    told = json.loads(done.out)
    assert told["exit"] == done.code
    return done.code, told["findings"]


def last(user: CommandLine, *words: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, step and code of the finding that doctor stopped at."""
    code, told = findings(user, *words, **variables)
    return code, told[-1]["check"], told[-1]["code"]


def only(folder: Path, *programs: Path) -> str:
    """A PATH on which nothing but these programs are."""
    folder.mkdir(exist_ok=True)
    for program in programs:
        (folder / program.name).symlink_to(program)
    return str(folder)
