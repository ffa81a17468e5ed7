"""Signing in through a real OpenID Connect provider, from the page to the command line."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import CommandLine
from tests.support.node_tools import ensure_node_program
from tests.support.server import Operator, Server, free_ports

CLIENT, SECRET = "wharfinger", "a secret that only both sides know"
CODE = re.compile(r'<output class="code">([A-Z0-9-]+)</output>')


@dataclass(frozen=True)
class House:
    """A service that knows a provider; the provider knows ada, bob and eve."""

    server: Server
    provider: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    node, program = ensure_node_program("oidc-provider")
    folder = tmp_path_factory.mktemp("sso")
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    port, *_ = free_ports(1)
    issuer = f"http://localhost:{port}"
    settings = {
        "WHARFINGER_OIDC_ISSUER": issuer,
        "WHARFINGER_OIDC_CLIENT_ID": CLIENT,
        "WHARFINGER_OIDC_CLIENT_SECRET_FILE": str(secret),
        "WHARFINGER_OIDC_NAME": "Acme",
        "WHARFINGER_WORKERS": "2",
    }
    with Server(folder / "data", settings=settings) as server:
        callback = f"{server.api}/identity/oidc/callback"
        command = [node, "provider.js", str(port), CLIENT, SECRET, callback]
        with Running(command, program):
            operator = Operator.of(server)
            for name in ("ada", "bob"):
                owner = {"owner_email": f"{name}@example.com"}
                operator._create("accounts", {"name": name, **owner})
            operator.close()
            yield House(server, issuer)


class Running:
    """The provider as a process, from its first word on."""

    def __init__(self, command: list[object], folder: Path) -> None:
        self._command = [str(word) for word in command]
        self._folder = folder

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if line.strip() == "ready":
                return
        raise AssertionError("the provider did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


def signed_in_at(client: httpx.Client, house: House, name: str) -> httpx.Response:
    """What the browser ends with: the button was followed, the provider's forms were filled in."""
    page = client.get(f"{house.server.api}/identity/passcode")
    assert "Sign in with Acme" in page.text
    answer = client.get(f"{house.server.api}/identity/oidc/login")
    for _ in range(3):
        action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        if not str(answer.url).startswith(house.provider) or action is None:
            return answer
        prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
        assert prompt, answer.text
        form = {"prompt": prompt[1], "login": name, "password": "any"}
        answer = client.post(answer.url.join(action[1]), data=form)
    return answer


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        yield client


def test_who_signs_in_at_the_provider_gets_a_passcode(
    house: House, browser: httpx.Client, ibmcloud: CommandLine
) -> None:
    answer = signed_in_at(browser, house, "ada")
    assert answer.status_code == 200, answer.text
    found = CODE.search(answer.text)
    assert found, answer.text

    said = ibmcloud.ok("login", "-a", house.server.api, "--sso", stdin=f"{found[1]}\n")

    assert "User:             ada@example.com" in said
    assert "Targeted account ada (" in said
    assert "ada@example.com" in ibmcloud.ok("iam", "users")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bob", "The provider does not vouch for your e-mail address"),
        ("eve", "Nobody added a user with the e-mail eve@example.com"),
    ],
)
def test_whom_nobody_vouches_for_or_knows_gets_none(
    house: House, browser: httpx.Client, name: str, message: str
) -> None:
    answer = signed_in_at(browser, house, name)

    assert answer.status_code == 403
    assert message in answer.text
    assert not CODE.search(answer.text)


def test_a_callback_without_its_beginning_is_refused(house: House, browser: httpx.Client) -> None:
    callback = f"{house.server.api}/identity/oidc/callback"
    for query in ("", "?code=x&state=y", "?error=access_denied"):
        assert browser.get(callback + query).status_code in {400, 403}
    # Begun here, and another's answer brought back.
    browser.follow_redirects = False
    browser.get(f"{house.server.api}/identity/oidc/login")
    assert browser.get(f"{callback}?code=x&state=y").status_code == 400


def test_a_forged_cookie_is_refused(house: House, browser: httpx.Client) -> None:
    browser.cookies.set("wharfinger-oidc", "AAAA", path="/identity/oidc")

    answer = browser.get(f"{house.server.api}/identity/oidc/callback?code=x&state=y")

    assert answer.status_code == 400
    assert "did not begin in this browser" in answer.text


def test_a_provider_that_hangs_holds_up_nobody_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hanging:
        settings = {
            "WHARFINGER_OIDC_ISSUER": f"http://localhost:{hanging.getsockname()[1]}",
            "WHARFINGER_OIDC_CLIENT_ID": CLIENT,
            "WHARFINGER_OIDC_CLIENT_SECRET_FILE": str(secret),
            "WHARFINGER_THREADS": "4",
        }
        with Server(tmp_path / "data", settings=settings) as server, ThreadPoolExecutor(8) as pool:
            url = f"{server.api}/identity/oidc/login"
            asked = [pool.submit(httpx.get, url, timeout=60) for _ in range(8)]
            refused = list(itertools.islice(as_completed(asked), 7))
            with closing(Operator.of(server)) as operator:
                assert operator.iam_token()

    assert {each.result().status_code for each in refused} == {502}
    assert all("too many wait for it already" in each.result().text for each in refused)


def test_a_provider_that_is_away_is_told(browser: httpx.Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    settings = {
        "WHARFINGER_OIDC_ISSUER": f"http://localhost:{free_ports(1)[0]}",
        "WHARFINGER_OIDC_CLIENT_ID": CLIENT,
        "WHARFINGER_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    with Server(tmp_path / "data", settings=settings) as server:
        answer = browser.get(
            f"{server.api}/identity/oidc/login", headers={"Accept-Language": "zh-CN"}
        )

    assert answer.status_code == 502
    assert "ConnectError" in answer.text
    assert '<html lang="zh-Hans">' in answer.text
