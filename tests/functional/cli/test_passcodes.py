"""One-time passcodes: the page in a browser, the command line that asks for one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import CommandLine
from tests.support.server import Operator, Server

PAGE = "/identity/passcode"
GRANT = "urn:ibm:params:oauth:grant-type:passcode"
FIELD = re.compile(r'name="form" value="([^"]+)"')
CODE = re.compile(r'<output class="code">([A-Z0-9-]+)</output>')


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.api, follow_redirects=False) as client:
        yield client


@pytest.fixture
def person(server: Server) -> tuple[str, str]:
    """E-mail and password of a user with one account."""
    return person_of(server)


def person_of(server: Server) -> tuple[str, str]:
    operator = Operator.of(server)
    email, password = f"{secrets.token_hex(5)}@example.com", secrets.token_urlsafe(24)
    owner = {"owner_email": email, "owner_password": password}
    operator._create("accounts", {"name": "sso", **owner})
    operator.close()
    return email, password


def filled(browser: httpx.Client, email: str, password: str, **headers: str) -> httpx.Response:
    """Open the page and send its form, as a person does."""
    found = FIELD.search(browser.get(PAGE).text)
    assert found
    form = {"form": found[1], "email": email, "password": password}
    return browser.post(PAGE, data=form, headers=headers)


def passcode(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found = CODE.search(answer.text)
    assert found, answer.text
    return found[1]


def test_a_passcode_signs_in_once(
    targeted: CommandLine, server: Server, browser: httpx.Client, person: tuple[str, str]
) -> None:
    email, password = person
    code = passcode(filled(browser, email, password))
    assert re.fullmatch(r"[A-Z0-9]{4}(-[A-Z0-9]{4}){2}", code)

    typed = code.lower().replace("-", " ")
    said = targeted.ok("login", "--sso", stdin=f"{typed}\n")
    assert f"One Time Code (Get one at {server.api}{PAGE})> " in said
    assert code not in said
    assert typed not in said
    assert f"User:             {email}" in said

    again = targeted("login", "--sso", stdin=f"{code}\n")
    assert again.code == 1
    assert "Code: BXNIM0113E, message: The one-time passcode is not valid" in again.out


def test_a_new_passcode_ends_the_one_before(
    targeted: CommandLine, browser: httpx.Client, person: tuple[str, str]
) -> None:
    old = passcode(filled(browser, *person))
    new = passcode(filled(browser, *person))

    assert targeted("login", "--sso", stdin=f"{old}\n").code == 1
    targeted.ok("login", "--sso", stdin=f"{new}\n")


def test_of_many_who_use_it_at_once_on_two_workers_one_is_let_in(tmp_path: Path) -> None:
    with Server(tmp_path / "data", settings={"WHARFINGER_WORKERS": "2"}) as server:
        email, password = person_of(server)
        for _ in range(4):
            with httpx.Client(base_url=server.api) as browser:
                code = passcode(filled(browser, email, password))

            def redeem(_: int, code: str = code) -> int:
                form = {"grant_type": GRANT, "passcode": code}
                return httpx.post(f"{server.api}/identity/token", data=form).status_code

            with ThreadPoolExecutor(8) as pool:
                answers = sorted(pool.map(redeem, range(8)))
            assert answers[0] == 200
            assert set(answers[1:]) <= {400, 429}


def test_a_wrong_password_is_told_on_the_page_in_the_readers_language(
    browser: httpx.Client, person: tuple[str, str]
) -> None:
    email, _ = person
    answer = filled(browser, email, "wrong", **{"Accept-Language": "zh-CN"})

    assert answer.status_code == 401
    assert answer.headers["content-language"] == "zh-Hans"
    assert '<html lang="zh-Hans">' in answer.text
    assert 'role="alert"' in answer.text
    assert email in answer.text
    assert "wrong" not in answer.text


def test_guessing_is_slowed_down(browser: httpx.Client, person: tuple[str, str]) -> None:
    email, password = person
    for _ in range(10):
        assert filled(browser, email, "guess").status_code == 401

    answer = filled(browser, email, password)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert not CODE.search(answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_form_of_another_page_does_not_count(
    browser: httpx.Client, person: tuple[str, str], headers: dict[str, str]
) -> None:
    answer = filled(browser, *person, **headers)

    assert answer.status_code == 400
    assert not CODE.search(answer.text)


def test_a_form_needs_the_cookie_of_its_page(server: Server, person: tuple[str, str]) -> None:
    email, password = person
    with httpx.Client(base_url=server.api) as other:
        token = FIELD.search(other.get(PAGE).text)
        assert token
        other.cookies.clear()
        form = {"form": token[1], "email": email, "password": password}
        assert other.post(PAGE, data=form).status_code == 400
    with httpx.Client(base_url=server.api) as other:
        other.get(PAGE)
        form = {"form": "x" * 32, "email": email, "password": password}
        assert other.post(PAGE, data=form).status_code == 400


def test_the_page_needs_nothing_from_elsewhere(browser: httpx.Client) -> None:
    answer = browser.get(PAGE)
    policy = answer.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_over_tls_the_cookie_is_the_hosts_own(server: Server) -> None:
    answer = httpx.get(f"https://{server.tls_registry}{PAGE}", verify=str(server.ca))

    assert answer.headers["set-cookie"].startswith("__Host-wharfinger-form=")
    assert "Secure" in answer.headers["set-cookie"]


def test_what_is_typed_is_never_markup(browser: httpx.Client) -> None:
    answer = filled(browser, '"><script>alert(1)</script>@example.com', "x")

    assert "<script>" not in answer.text
