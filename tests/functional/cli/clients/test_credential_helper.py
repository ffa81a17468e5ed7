"""`docker-credential-wharf`: what a session is, docker and podman sign in with, at any time."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any

import pytest

from tests.functional.cli.clients.conftest import Desk
from tests.functional.clients.images import Image
from tests.support.command_line import CHINESE, program
from tests.support.server import Tenant

CLIENTS = ("docker", "podman")
NOT_FOUND = "credentials not found in native keychain\n"


def ask(desk: Desk, word: str, given: str = "") -> tuple[int, str]:
    """One question, as container clients put it."""
    done = subprocess.run(
        [program("docker-credential-wharf"), word],
        input=given,
        env=desk.user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def expire(desk: Desk) -> None:
    """Let the token in the session have ended, as after a night."""
    path = desk.user.folder / "config.json"
    kept = json.loads(path.read_text())
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1}).encode()).decode().rstrip("=")
    path.write_text(json.dumps({**kept, "IAMToken": f"e30.{claims}.e30"}))


def another_key(tenant: Tenant) -> str:
    """A new key of the owner; the one that the session lives on is deleted."""
    headers = tenant._headers(tenant.account)
    (old,) = tenant.http.get("/identity/v1/apikeys", headers=headers).json()["apikeys"]
    tenant.api_key, before = tenant.create_api_key("another", old["iam_id"]), tenant.api_key
    assert before != tenant.api_key
    headers = tenant._headers(tenant.account)
    tenant.http.delete(f"/identity/v1/apikeys/{old['id']}", headers=headers).raise_for_status()
    return tenant.api_key


@pytest.mark.parametrize("client", CLIENTS)
def test_a_login_that_does_not_go_stale(desk: Desk, image: Image, client: str) -> None:
    desk.user.ok("cr", "login", "--client", client)
    desk.push_with(client, image, "1").succeeded()
    desk.user.ok("login", "--apikey", another_key(desk.tenant))
    # What the client had stored lived on the key of before.
    desk.pull_with(client, "1").refused("unauthorized")

    desk.user.ok("cr", "login", "--client", client, "--helper")
    desk.pull_with(client, "1").succeeded()

    expire(desk)
    desk.pull_with(client, "1").succeeded()
    desk.user.ok("login", "--apikey", another_key(desk.tenant))
    desk.pull_with(client, "1").succeeded()
    desk.push_with(client, image, "2").succeeded()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_logout_counts_until_the_next_login(desk: Desk, image: Image, client: str) -> None:
    desk.user.ok("cr", "login", "--client", client, "--helper")
    desk.push_with(client, image, "1").succeeded()
    command = desk.docker if client == "docker" else desk.podman

    command("logout", desk.server.registry)
    assert ask(desk, "get", desk.server.registry) == (1, NOT_FOUND)
    desk.pull_with(client, "1").refused("unauthorized")

    desk.user.ok("cr", "login", "--client", client, "--helper")
    desk.pull_with(client, "1").succeeded()


def test_nobody_signed_in_is_no_failure(desk: Desk) -> None:
    desk.user.ok("logout")

    assert ask(desk, "get", desk.server.registry) == (1, NOT_FOUND)
    assert ask(desk, "list") == (0, "{}\n")


def test_a_session_that_has_ended_says_what_to_do(desk: Desk) -> None:
    another_key(desk.tenant)
    expire(desk)
    code, said = ask(desk, "get", desk.server.registry)

    assert (code, said.splitlines()[0]) == (
        1,
        "Your session has expired. Use 'wharf login' to log in again.",
    )
    desk.user.locale = CHINESE
    assert "您的会话已到期" in ask(desk, "get", desk.server.registry)[1]


def test_only_the_registries_of_the_service_get_something(desk: Desk) -> None:
    registry = desk.server.registry
    for name in (registry, f"http://{registry}", f"https://{registry}/v2/\n"):
        code, said = ask(desk, "get", name)
        told: dict[str, Any] = json.loads(said)
        assert (code, told["Username"], told["ServerURL"]) == (0, "iambearer", name.strip())
    assert json.loads(ask(desk, "list")[1]) == {registry: "iambearer"}
    for other in ("https://index.docker.io/v1/", "localhost:1", ""):
        assert ask(desk, "get", other) == (1, NOT_FOUND)


def test_what_is_none_of_the_session_is_not_taken(desk: Desk) -> None:
    given = {"ServerURL": desk.server.registry, "Username": "iamapikey", "Secret": "S3CRET"}
    code, said = ask(desk, "store", json.dumps(given))
    assert code == 1
    assert said.startswith("docker-credential-wharf keeps no secrets, so it cannot store those of ")
    kept = [path.read_text() for path in desk.user.folder.glob("*.json")]
    assert not any("S3CRET" in text for text in kept)

    assert ask(desk, "store", json.dumps({**given, "Username": "iamrefresh"})) == (0, "")
    assert ask(desk, "store", "[]")[0] == 1
    assert ask(desk, "fetch")[0] == 2
    assert ask(desk, "version")[0] == 0


def test_a_helper_that_clients_would_not_find(desk: Desk) -> None:
    done = desk.user("cr", "login", "--helper", variables={"PATH": str(desk.user.home)})

    assert done.code == 1
    assert "docker-credential-wharf is not in your PATH" in done.out
