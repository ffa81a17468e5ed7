"""Users of the command line who work with real container clients."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.functional.clients.commands import Result, run
from tests.functional.clients.conftest import docker_engine, image, images
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.support.command_line import CommandLine
from tests.support.server import Server, Tenant
from tests.support.tools import ensure

__all__ = ["docker_engine", "image", "images"]


@dataclass
class Desk:
    """Somebody with `ibmcloud`, docker (a real engine) and podman, all in one home."""

    user: CommandLine
    tenant: Tenant
    server: Server
    state: Path
    repository_name: str = ""

    def close(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)

    @property
    def repository(self) -> str:
        own = f"{self.server.registry}/{self.tenant.namespace}/app"
        return self.repository_name or own

    @property
    def variables(self) -> Mapping[str, str]:
        return self.user.variables

    def docker(self, *words: str) -> Result:
        command: list[str | Path] = [ensure("docker"), *words]
        return run(command, home=self.user.home, variables=self.variables)

    def podman(self, *words: str) -> Result:
        fixed = [f"--root={self.state / 'storage'}", f"--runroot={self.state / 'run'}"]
        fixed += ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file"]
        command: list[str | Path] = [ensure("podman"), *fixed, *words]
        return run(command, home=self.user.home, variables=self.variables)

    def pull_with(self, client: str, tag: str) -> Result:
        """Pull into a place without any image."""
        if client == "docker":
            listed = self.docker("images", "--quiet", "--all").succeeded().output.split()
            if listed:
                self.docker("rmi", "--force", *sorted(set(listed))).succeeded()
            return self.docker("pull", f"{self.repository}:{tag}")
        self.podman("rmi", "--all", "--force")
        return self.podman("pull", "--tls-verify=false", f"{self.repository}:{tag}")

    def push_with(self, client: str, image: Image, tag: str) -> Result:
        name = f"{self.repository}:{tag}"
        if client == "docker":
            self.docker("load", "--input", str(image.archive)).succeeded()
            self.docker("tag", image.loaded_name, name).succeeded()
            return self.docker("push", name)
        self.podman("load", "--input", str(image.archive)).succeeded()
        self.podman("tag", image.loaded_name, name).succeeded()
        return self.podman("push", "--tls-verify=false", name)


def path_of_programs() -> str:
    """The PATH of somebody who has installed the command line."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def desk_of(
    user: CommandLine,
    tenant: Tenant,
    server: Server,
    house_wheels: dict[str, Path],
    engine: DockerEngine,
) -> Desk:
    """The desk of somebody who is signed in."""
    user.ok("plugin", "install", str(house_wheels["container-registry"]))
    # Podman takes no state folder with a long path.
    state = Path(tempfile.mkdtemp(prefix="whf-"))
    variables = {
        "PATH": path_of_programs(),
        "DOCKER_HOST": engine.host,
        "XDG_RUNTIME_DIR": str(user.home),
    }
    return Desk(replace(user, variables=variables), tenant, server, state)


@pytest.fixture
def desk(
    signed_in: tuple[CommandLine, Tenant],
    server: Server,
    house_wheels: dict[str, Path],
    docker_engine: DockerEngine,
) -> Iterator[Desk]:
    made = desk_of(*signed_in, server, house_wheels, docker_engine)
    yield made
    made.close()
