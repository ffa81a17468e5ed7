"""`latest` brings an older build: it is a name like any other (guide, section 7)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.functional.clients.drivers import Docker, Endpoint
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Buildah
from tests.support.command_line import CommandLine
from tests.support.doctor import findings
from tests.support.server import Server, Tenant

DAY = 86_400


@pytest.fixture
def user(signed_in: tuple[CommandLine, Tenant], offered_house: None, docker: Docker) -> CommandLine:
    """Somebody who is signed in, also with docker."""
    ibmcloud, _ = signed_in
    ibmcloud.variables["DOCKER_HOST"] = docker.engine.host
    ibmcloud.ok("plugin", "install", "container-registry")
    ibmcloud.ok("cr", "login")
    return ibmcloud


@pytest.fixture
def docker(ibmcloud: CommandLine, server: Server, docker_engine: DockerEngine) -> Docker:
    """The user's docker, with the credentials that `cr login` leaves in the home."""
    return Docker(Endpoint(server.registry), ibmcloud.home / ".docker", docker_engine)


@pytest.fixture
def repository(server: Server, signed_in: tuple[CommandLine, Tenant]) -> str:
    return f"{server.registry}/{signed_in[1].namespace}/app"


class Builds:
    """Builds of one application, each with its number inside and the day that it was made."""

    def __init__(self, folder: Path, docker: Docker) -> None:
        folder.mkdir()
        self._folder = folder
        self._docker = docker
        self._buildah = Buildah(folder)

    def build(self, name: str, number: int, days_ago: int) -> None:
        """Have docker know the build by this name."""
        (self._folder / "build").write_text(f"{number}\n")
        (self._folder / "Containerfile").write_text("FROM scratch\nCOPY build /build\nCMD /build\n")
        made = f"--timestamp={int(time.time()) - days_ago * DAY}"
        archive = self._folder / f"{number}.tar"
        self._buildah("bud", made, f"--tag={number}", str(self._folder))
        self._buildah("push", str(number), f"docker-archive:{archive}:{name}")
        self._docker("load", "--input", str(archive)).succeeded()

    def running(self, name: str) -> str:
        """The number that somebody gets who pulls the name and starts it."""
        self._docker.pull(name).succeeded()
        container = self._docker("create", "--network=none", name).succeeded().output.split()[-1]
        target = self._folder / "pulled"
        self._docker("cp", f"{container}:/build", str(target)).succeeded()
        self._docker("rm", container).succeeded()
        return target.read_text().strip()


@pytest.fixture
def builds(tmp_path: Path, docker: Docker) -> Builds:
    return Builds(tmp_path / "builds", docker)


def rows(user: CommandLine) -> dict[str, list[str]]:
    """By tag, the other cells of `cr image-list`."""
    listed = user.ok("cr", "image-list").splitlines()[3:-2]
    cells = [[cell for cell in line.split("   ") if cell.strip()] for line in listed]
    return {row[1].strip(): [cell.strip() for cell in row[2:]] for row in cells}


def test_an_older_build_comes_and_what_helps(
    user: CommandLine, docker: Docker, builds: Builds, repository: str
) -> None:
    builds.build(f"{repository}:1", 1, days_ago=21)
    docker("push", f"{repository}:1").succeeded()
    builds.build(f"{repository}:2", 2, days_ago=0)
    docker("push", f"{repository}:2").succeeded()
    docker("tag", f"{repository}:1", f"{repository}:latest").succeeded()
    docker("push", f"{repository}:latest").succeeded()

    # The symptom: no tag given means latest, which is not the newest build.
    assert builds.running(repository) == "1"

    # The list tells: latest is what 1 is, and three weeks older than 2.
    found = rows(user)
    digest, _, made = found["latest"][:3]
    assert digest == found["1"][0] != found["2"][0]
    assert made == "3 weeks ago"
    assert found["2"][2].endswith(("second ago", "seconds ago", "minute ago", "minutes ago"))
    assert newest_first(user, repository) == ["2", "1", "latest"]

    # So does doctor, unasked.
    name = repository.partition("/")[2]
    _, told = findings(user, repository)
    warning = next(one for one in told if one["check"] == "latest")
    assert warning["severity"] == "warning"
    assert warning["message"] == f"'{name}:latest' is older than '{name}:2'"
    assert f"“{name}:latest”比“{name}:2”旧" in user.in_chinese()("doctor", repository).out

    # Tags of one's own, one a build, name what one means.
    assert builds.running(f"{repository}:2") == "2"

    # Who wants latest to be the newest moves it there.
    user.ok("cr", "image-tag", f"{repository}:2", f"{repository}:latest")
    assert builds.running(repository) == "2"
    assert newest_first(user, repository) == ["2", "latest", "1"]
    assert "latest" not in [one["check"] for one in findings(user, repository)[1]]


def newest_first(user: CommandLine, repository: str) -> list[str]:
    """The tags, by the line of the page that orders them by the age of what they name."""
    template = "{{.Created}} {{.Tag}}"
    listed = user.ok("cr", "images", "--restrict", repository, "--format", template).splitlines()
    dated = sorted((line.split() for line in listed), key=lambda row: (-int(row[0]), row[1]))
    return [tag for _, tag in dated]
