"""What doctor finds about docker and podman themselves, with a real engine behind docker."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.cli.clients.conftest import Desk
from tests.functional.cli.clients.test_credential_helper import another_key
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.support.command_line import CommandLine, program
from tests.support.doctor import findings, last, only
from tests.support.images import Dock
from tests.support.netns import Machine
from tests.support.server import Operator, Server
from tests.support.tools import ensure

NAME = "app:1"


@pytest.fixture
def pushed(desk: Desk) -> str:
    """The name of an image that is there, pushed behind docker's back."""
    dock = Dock(desk.server.api, desk.tenant)
    dock.push(f"{desk.tenant.namespace}/app", "1")
    dock.close()
    return f"{desk.tenant.namespace}/app:1"


def having(desk: Desk, folder: Path, *programs: Path) -> CommandLine:
    """The user on a machine with these programs alone."""
    shutil.rmtree(folder / "programs", ignore_errors=True)
    desk.user.variables["PATH"] = only(folder / "programs", *programs)
    return desk.user


def found(user: CommandLine, check: str, image: str, **variables: str) -> dict[str, Any]:
    return next(one for one in findings(user, image, **variables)[1] if one["check"] == check)


def test_docker_signed_in_and_the_whole_way_well(desk: Desk, pushed: str, image: Image) -> None:
    assert last(desk.user, pushed) == (27, "credentials", "WHF1175")
    desk.user.ok("cr", "login")
    code, told = findings(desk.user, pushed)

    assert code == 0
    assert [one["check"] for one in told][-3:] == ["client", "settings", "credentials"]
    assert told[-1]["message"] == f"Docker is signed in to {desk.server.registry}"
    assert desk.docker("pull", f"{desk.server.registry}/{pushed}").output


def test_a_daemon_that_is_not_there(desk: Desk, pushed: str, tmp_path: Path) -> None:
    user = having(desk, tmp_path, ensure("docker"))
    stopped = {"DOCKER_HOST": f"unix://{tmp_path / 'nobody.sock'}"}
    code, told = findings(user, pushed, **stopped)

    assert (code, told[-1]["check"], told[-1]["code"]) == (25, "client", "WHF1196")
    assert "Cannot connect to the Docker daemon" in told[-1]["message"]
    assert user("doctor", variables=stopped).code == 0

    having(desk, tmp_path, ensure("docker"), ensure("podman"))
    assert found(user, "client", pushed, **stopped)["severity"] == "warning"


def test_a_docker_that_says_only_aside_that_its_daemon_is_gone(
    desk: Desk, pushed: str, tmp_path: Path
) -> None:
    """Docker 28.2 answers without ``ServerErrors``; other versions cannot be made to."""
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        """echo '{"ID":"","ServerVersion":"","RegistryConfig":null,"ClientInfo":{}}'\n"""
        "echo 'Cannot connect to the Docker daemon at unix:///nobody.sock.' >&2\n"
    )
    docker.chmod(0o755)
    code, told = findings(having(desk, tmp_path, docker), pushed)

    assert (code, told[-1]["check"], told[-1]["code"]) == (25, "client", "WHF1196")
    assert "Cannot connect to the Docker daemon" in told[-1]["message"]


def test_a_stored_sign_in_that_is_over(desk: Desk, pushed: str) -> None:
    desk.user.ok("cr", "login")
    desk.user.ok("login", "--apikey", another_key(desk.tenant))
    code, told = findings(desk.user, pushed)
    assert (code, told[-1]["check"], told[-1]["code"]) == (27, "credentials", "WHF1176")
    assert told[-1]["cure"] == "Sign the client in again: ibmcloud cr login."

    desk.user.ok("cr", "login", "--helper")
    assert findings(desk.user, pushed)[0] == 0


def test_a_helper_that_does_not_work(desk: Desk, pushed: str, image: Image) -> None:
    path = desk.user.home / ".docker/config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"credsStore": "vault"}))

    code, told = findings(desk.user, pushed)
    assert (code, told[-1]["code"]) == (27, "WHF1177")
    assert "docker-credential-vault" in told[-1]["message"]

    # Credentials that are written for this registry count before what there is for all.
    desk.user.ok("cr", "login", "--credentials-only")
    assert json.loads(path.read_text())["credsStore"] == "vault"
    assert findings(desk.user, pushed)[0] == 0
    desk.push_with("docker", image, "2").succeeded()


def test_content_trust_that_leads_elsewhere(desk: Desk, pushed: str) -> None:
    desk.user.ok("cr", "login")
    desk.user.variables["DOCKER_CONTENT_TRUST"] = "1"
    assert last(desk.user, pushed) == (28, "trust", "WHF1178")
    code, told = findings(desk.user)
    assert (code, told[-1]["severity"]) == (0, "warning")

    desk.user.variables["DOCKER_CONTENT_TRUST_SERVER"] = "https://localhost:4443"
    assert findings(desk.user, pushed)[0] == 0


def test_podman_wants_tls_until_told_otherwise(desk: Desk, pushed: str, tmp_path: Path) -> None:
    user = having(desk, tmp_path, ensure("podman"), Path(program("docker-credential-wharf")))
    user.ok("cr", "login", "--client", "podman", "--credentials-only")
    assert last(user, pushed) == (26, "settings", "WHF1197")

    allow(user, desk.server.registry)
    code, told = findings(user, pushed)
    assert (code, told[-1]["check"]) == (0, "credentials")
    assert told[-1]["message"].startswith("Podman is signed in")
    # What doctor says holds: podman itself reads the same settings.
    desk.podman("pull", f"{desk.server.registry}/{pushed}").refused("unexpected EOF")


def allow(user: CommandLine, registry: str) -> None:
    path = user.home / ".config/containers/registries.conf"
    path.parent.mkdir(parents=True)
    path.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')


def test_podman_does_not_know_the_authority(desk: Desk, pushed: str, tmp_path: Path) -> None:
    registry = desk.server.tls_registry
    user = having(desk, tmp_path, ensure("podman"))
    user.ok("config", "--ca", str(desk.server.ca))
    user.ok("login", "-a", f"https://{registry}", "--apikey", desk.tenant.api_key)
    user.ok("cr", "login", "--client", "podman", "--credentials-only")
    assert last(user, pushed) == (26, "settings", "WHF1198")

    folder = user.home / ".config/containers/certs.d" / registry
    folder.mkdir(parents=True)
    shutil.copy(desk.server.ca, folder / "ca.crt")
    assert findings(user, pushed)[0] == 0


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A service in the open, at an address that is not the loopback's."""
    settings = {"WHARFINGER_HOST": "0.0.0.0"}
    with Machine() as machine, Server(tmp_path / "data", settings=settings) as server:
        yield server, f"{machine.neighbour}:{server.port}"


def test_docker_wants_tls_of_what_is_not_on_the_loopback(
    desk: Desk, elsewhere: tuple[Server, str]
) -> None:
    server, registry = elsewhere
    operator = Operator.of(server)
    tenant = operator.create_tenant("distant")
    dock = Dock(server.api, tenant)
    dock.push("distant/app", "1")
    desk.user.ok("login", "-a", f"http://{registry}", "--apikey", tenant.api_key)

    code, told = findings(desk.user, "distant/app:1")
    assert (code, told[-1]["check"], told[-1]["code"]) == (26, "settings", "WHF1197")
    assert "insecure-registries" in told[-1]["cure"]
    refused = desk.docker("pull", f"{registry}/distant/app:1")
    refused.refused("http: server gave HTTP response to HTTPS client")
    for each in (dock, tenant, operator):
        each.close()


def test_the_daemon_has_a_proxy_of_its_own(
    desk: Desk, pushed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as environment:
        environment.setenv("HTTP_PROXY", "http://me:S3CRET@proxy.example:3128")
        engine = DockerEngine(desk.state / "engine")
        engine.__enter__()
    try:
        desk.user.variables["DOCKER_HOST"] = engine.host
        told = found(desk.user, "settings", pushed)
    finally:
        engine.stop()

    assert (told["severity"], told["code"]) == ("warning", "WHF1199")
    assert "proxy.example:3128" in told["message"]
    assert "S3CRET" not in json.dumps(told)
