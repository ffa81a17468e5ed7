"""Signing in fails, with a message of its own for each cause (guide, section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.clients.commands import run
from tests.functional.clients.engine import DockerEngine
from tests.support.command_line import CommandLine
from tests.support.doctor import findings, last, only
from tests.support.plugin_wheels import rebuilt
from tests.support.server import Operator, Server, Tenant
from tests.support.tools import ensure

OLD = "0.0.1"


@pytest.fixture
def strict(tmp_path: Path, house_wheels: dict[str, Path]) -> Iterator[Server]:
    """A service that wants the plug-in of today, and offers it."""
    wheel = house_wheels["container-registry"]
    version = wheel.name.split("-")[1]
    settings = {"WHARFINGER_PLUGIN_MINIMUMS": f"container-registry={version}"}
    offered = tmp_path / "data" / "plugins"
    offered.mkdir(parents=True)
    (offered / wheel.name).write_bytes(wheel.read_bytes())
    with Server(tmp_path / "data", settings=settings) as server:
        yield server


def test_a_plugin_that_the_service_no_longer_takes(
    ibmcloud: CommandLine, strict: Server, house_wheels: dict[str, Path], tmp_path: Path
) -> None:
    wheel = house_wheels["container-registry"]
    today = wheel.name.split("-")[1]
    old = rebuilt(wheel, tmp_path / "old", OLD, lambda _name, text: text)
    ibmcloud.ok("plugin", "install", str(old))
    ibmcloud.ok("login", "-a", strict.api, "--apikey", strict.operator.api_key)

    assert ibmcloud.failed("cr", "namespaces").splitlines() == [
        f"The plug-in 'container-registry {OLD}' is too old for this service, which needs "
        f"{today} or later.",
        "Update it: ibmcloud plugin update container-registry.",
    ]
    assert (
        ibmcloud.in_chinese()
        .failed("cr", "namespaces")
        .startswith(
            f"插件“container-registry {OLD}”对此服务而言过旧；服务需要 {today} 或更高版本。"
        )
    )

    (found,) = [one for one in findings(ibmcloud)[1] if one["check"] == "plugins"]
    assert found["cure"] == "Update it: ibmcloud plugin update container-registry."

    ibmcloud.ok("plugin", "update", "container-registry")
    assert "Listing namespaces" in ibmcloud.ok("cr", "namespaces")


def replaced_key(tenant: Tenant) -> str:
    """A new key of the tenant's owner; the one that the session lives on is deleted."""
    headers = tenant._headers(tenant.account)
    (old,) = tenant.http.get("/identity/v1/apikeys", headers=headers).json()["apikeys"]
    key = tenant.create_api_key("another", old["iam_id"])
    tenant.http.delete(f"/identity/v1/apikeys/{old['id']}", headers=headers).raise_for_status()
    return key


def test_a_sign_in_that_has_ended(
    ibmcloud: CommandLine, tmp_path: Path, house_wheels: dict[str, Path]
) -> None:
    settings = {"WHARFINGER_IAM_TOKEN_SECONDS": "60"}
    with Server(tmp_path / "data", settings=settings) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("ended")
        ibmcloud.ok("login", "-a", server.api, "--apikey", tenant.api_key)
        ibmcloud.ok("plugin", "install", str(house_wheels["container-registry"]))
        another = replaced_key(tenant)

        assert ibmcloud.refused("cr", "namespaces") == (
            "Your session has expired. Use 'ibmcloud login' to log in again."
        )
        assert ibmcloud.in_chinese().refused("cr", "namespaces") == (
            "您的会话已到期。请使用 'ibmcloud login' 重新登录。"
        )
        assert last(ibmcloud) == (17, "sign-in", "WHF0804")

        ibmcloud.ok("login", "--apikey", another)
        assert tenant.namespace in ibmcloud.ok("cr", "namespaces")
        for client in (operator, tenant):
            client.close()


@pytest.fixture
def member(
    signed_in: tuple[CommandLine, Tenant], house_wheels: dict[str, Path], tmp_path: Path
) -> CommandLine:
    """Somebody who is signed in, with the plug-in, on a machine without container clients."""
    user, _ = signed_in
    user.ok("plugin", "install", str(house_wheels["container-registry"]))
    user.variables["PATH"] = only(tmp_path / "programs")
    return user


def install(user: CommandLine, name: str) -> None:
    (Path(user.variables["PATH"]) / name).symlink_to(ensure(name))


def test_docker_is_not_installed_and_then_is(
    member: CommandLine, server: Server, docker_engine: DockerEngine
) -> None:
    first, cure = member.refused("cr", "login").splitlines()
    assert first == "Docker is not installed, or not in your PATH."
    assert "ibmcloud cr login --client podman." in cure
    assert "ibmcloud cr login --credentials-only." in cure
    assert member.in_chinese().refused("cr", "login").startswith("Docker 未安装，或不在 PATH 中。")
    assert last(member)[1:] == ("client", "WHF1195")

    install(member, "docker")
    member.variables["DOCKER_HOST"] = docker_engine.host
    assert f"Logged in to '{server.registry}'." in member.ok("cr", "login")


def test_the_daemon_does_not_run_and_then_does(
    member: CommandLine, server: Server, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    install(member, "docker")
    member.variables["DOCKER_HOST"] = f"unix://{tmp_path / 'stopped.sock'}"
    first, cure = member.refused("cr", "login").splitlines()
    assert first == "Docker is installed, but its daemon does not answer."
    assert cure.startswith("Start Docker, or join its group; or use Podman: ")
    assert (
        member.in_chinese()
        .refused("cr", "login")
        .startswith("Docker 已安装，但其守护进程没有响应。")
    )
    assert last(member)[1:] == ("client", "WHF1196")

    member.variables["DOCKER_HOST"] = docker_engine.host
    assert f"Logged in to '{server.registry}'." in member.ok("cr", "login")
    assert last(member)[1] == "credentials"


def test_podman_signs_in_in_its_stead(member: CommandLine, server: Server) -> None:
    install(member, "podman")
    member.variables["XDG_RUNTIME_DIR"] = str(member.home)
    member.refused("cr", "login")

    assert f"Logged in to '{server.registry}'." in member.ok("cr", "login", "--client", "podman")
    command = [str(ensure("podman")), "login", "--get-login", server.registry]
    told = run(command, home=member.home, variables=member.variables).succeeded()
    assert told.output.strip() == "iamrefresh"


def test_credentials_are_written_where_no_client_is(
    member: CommandLine, server: Server, docker_engine: DockerEngine
) -> None:
    member.refused("cr", "login")
    assert f"Logged in to '{server.registry}'." in member.ok("cr", "login", "--credentials-only")

    # A docker that comes later reads them: it asks the service without a further sign-in.
    command = [str(ensure("docker")), "pull", f"{server.registry}/nobody/app:1"]
    variables = {"DOCKER_HOST": docker_engine.host}
    run(command, home=member.home, variables=variables).refused(
        "requested access to the resource is denied"
    )
