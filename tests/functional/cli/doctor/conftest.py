"""Users on machines where only those container clients are that a test puts there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.doctor import only


@pytest.fixture
def ibmcloud(tmp_path: Path) -> CommandLine:
    """A user who types `ibmcloud`, on a machine without Docker and Podman."""
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home, variables={"PATH": only(tmp_path / "programs")})
