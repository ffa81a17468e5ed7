"""Users of the command line, and a service that offers plug-ins."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import NewTenant
from tests.support.command_line import CommandLine
from tests.support.plugin_wheels import WheelMaker, built
from tests.support.server import Server, Tenant

Offer = Callable[[WheelMaker], Path]


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


@pytest.fixture
def targeted(ibmcloud: CommandLine, server: Server) -> CommandLine:
    """The user, who has set the endpoint of a running service."""
    ibmcloud.ok("api", server.api)
    return ibmcloud


@pytest.fixture
def signed_in(targeted: CommandLine, new_tenant: NewTenant) -> tuple[CommandLine, Tenant]:
    """The user, signed in to an account of its own."""
    tenant = new_tenant()
    targeted.ok("login", "--apikey", tenant.api_key)
    return targeted, tenant


@pytest.fixture
def offer(server: Server) -> Iterator[Offer]:
    """Puts wheels among the plug-ins that the service offers, for the length of a test."""
    folder = server.data / "plugins"
    made: list[Path] = []

    def put(maker: WheelMaker) -> Path:
        # As an operator does: written elsewhere, then renamed into place.
        path = maker.write(folder.with_name("coming"))
        folder.mkdir(exist_ok=True)
        made.append(path.rename(folder / path.name))
        return made[-1]

    yield put
    for path in made:
        path.unlink()


@pytest.fixture
def offered_house(server: Server, house_wheels: dict[str, Path]) -> None:
    """The service offers the plug-ins of the house, as `make run` has it."""
    folder = server.data / "plugins"
    folder.mkdir(exist_ok=True)
    for wheel in house_wheels.values():
        if not (folder / wheel.name).exists():
            shutil.copy(wheel, folder / f".{wheel.name}")
            (folder / f".{wheel.name}").rename(folder / wheel.name)
