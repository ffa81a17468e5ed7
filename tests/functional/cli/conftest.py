"""Users of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.plugin_wheels import built


@pytest.fixture
def ibmcloud(tmp_path: Path) -> CommandLine:
    """A user who types `ibmcloud` and never did before."""
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home)


@pytest.fixture
def wharf(ibmcloud: CommandLine) -> CommandLine:
    """The same user, typing `wharf`."""
    return ibmcloud.named("wharf")


@pytest.fixture(scope="session")
def house_wheels() -> dict[str, Path]:
    return built()
