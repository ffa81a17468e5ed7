"""Endpoint, sign-in, targets and sign-out, as transcripts show them."""

from __future__ import annotations

import json
import secrets
import stat
from pathlib import Path

import pytest

from tests.conftest import NewTenant
from tests.support.command_line import CommandLine
from tests.support.server import Operator, Server, Tenant, free_ports

GROUP = "Targeted resource group default\n\n"


def rows(server: Server, user: str, account: str, group: str = "default") -> str:
    """The block at the end of login and target: padded cells, a line of blanks first."""
    told = [
        ("API endpoint:", server.api),
        ("Region:", "local"),
        ("User:", user),
        ("Account:", account),
        ("Resource group:", group),
        ("Org:", ""),
        ("Space:", ""),
    ]
    width = max(len(value) for _, value in told)
    lines = [f"{'':15}   {'':{width}}   "]
    lines += [f"{name:15}   {value:{width}}   " for name, value in told]
    return "\n".join(lines) + "\n\n"


@pytest.fixture
def person(server: Server) -> tuple[str, str, list[tuple[str, str]]]:
    """E-mail and password of a user, with the (name, id) of her accounts: two."""
    operator = Operator.of(server)
    name = f"p{secrets.token_hex(5)}"
    email, password = f"{name}@example.com", secrets.token_urlsafe(24)
    owner = {"owner_email": email, "owner_password": password}
    accounts = []
    for suffix in ("a", "b"):
        made = operator._create("accounts", {"name": f"{name}{suffix}", **owner})
        accounts.append((str(made["name"]), str(made["id"])))
        owner.pop("owner_password", None)
    operator.close()
    return email, password, accounts


def test_the_endpoint_is_set_and_shown(ibmcloud: CommandLine, server: Server) -> None:
    told = f"{server.api} (API version: 0.1.0)"
    shown = f"{'':13}   {'':{len(told)}}   \nAPI endpoint:   {told}   \n"
    hint = "Not logged in. Use 'ibmcloud login' to log in.\n"

    assert ibmcloud.ok("api", server.api) == (
        f"Setting api endpoint to {server.api}...\nOK\n{shown}{hint}"
    )
    assert ibmcloud.ok("api") == shown + hint
    assert ibmcloud.ok("api", "--unset").startswith("Unsetting api endpoint...\nOK\n")
    assert ibmcloud.failed("api") == ("No API endpoint set. Use 'ibmcloud api' to set an endpoint.")


def test_an_endpoint_without_scheme_is_https(ibmcloud: CommandLine) -> None:
    port = free_ports(1)[0]

    done = ibmcloud("api", f"localhost:{port}")

    assert done.code == 1
    assert done.out.startswith(f"Setting api endpoint to https://localhost:{port}...\nFAILED\n")
    assert not (ibmcloud.folder / "config.json").exists()


def test_sign_in_with_a_key_asks_nothing(
    targeted: CommandLine, new_tenant: NewTenant, server: Server
) -> None:
    tenant = new_tenant()
    name, account = tenant.namespace, f"{tenant.namespace} ({tenant.account})"
    end = f"Authenticating...\nOK\n\nTargeted account {account}\n\n{GROUP}" + rows(
        server, f"{name}@example.com", account
    )
    first = f"API endpoint: {server.api}\n"

    assert targeted.ok("login", "--apikey", tenant.api_key) == first + end
    assert targeted.ok("login", "-apikey=" + tenant.api_key) == first + end
    from_environment = targeted("login", variables={"IBMCLOUD_API_KEY": tenant.api_key})
    assert from_environment.out == first + end
    wharf = targeted.named("wharf")("login", variables={"WHARF_API_KEY": tenant.api_key})
    assert wharf.out == first + end


def test_a_key_in_a_file_signs_in(signed_in: tuple[CommandLine, Tenant], tmp_path: Path) -> None:
    ibmcloud, _ = signed_in
    file = tmp_path / "key.json"
    made = ibmcloud.ok("iam", "api-key-create", "robot", "-d", "for tests", "--file", str(file))
    assert made.endswith(
        f"OK\nAPI key robot was created\nSuccessfully save API key information to {file}\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {
        "name",
        "description",
        "apikey",
        "createdAt",
        "locked",
        "uuid",
    }

    ibmcloud.ok("logout")
    assert ibmcloud.failed("target") == "Not logged in. Use 'ibmcloud login' to log in."
    assert "Targeted account" in ibmcloud.ok("login", "--apikey", f"@{file}")


def test_sign_in_with_a_password_as_a_conversation(
    targeted: CommandLine, server: Server, person: tuple[str, str, list[tuple[str, str]]]
) -> None:
    email, password, accounts = person
    listed = sorted(accounts, key=lambda account: account[1])
    chosen = f"{listed[1][0]} ({listed[1][1]})"

    said = targeted.ok("login", stdin=f"{email}\n{password}\n2\n")

    assert said == (
        f"API endpoint: {server.api}\n\nEmail> {email}\n\nPassword> \nAuthenticating...\nOK\n\n"
        "Select an account (or press enter to skip):\n"
        + "".join(f"{n}. {name} ({id})\n" for n, (name, id) in enumerate(listed, 1))
        + f"Enter a number> 2\nTargeted account {chosen}\n\n{GROUP}"
        + rows(server, email, chosen)
    )
    assert password not in said


def test_no_account_is_targeted_when_it_is_skipped(
    targeted: CommandLine, person: tuple[str, str, list[tuple[str, str]]]
) -> None:
    email, password, accounts = person
    said = targeted.ok("login", "-u", email, "-p", password, stdin="\n")

    assert "No account targeted, use 'ibmcloud target -c ACCOUNT_ID'" in said
    assert targeted.failed("iam", "users").startswith("No account targeted.")

    name, ident = accounts[0]
    assert f"Targeted account {name} ({ident})" in targeted.ok("target", "-c", ident)
    assert email in targeted.ok("iam", "users")


def test_another_account_is_targeted_later(
    targeted: CommandLine, person: tuple[str, str, list[tuple[str, str]]]
) -> None:
    email, password, accounts = person
    targeted.ok("login", "-u", email, "-p", password, "-c", accounts[0][1])
    told = json.loads(targeted.ok("target", "-c", accounts[1][1], "-g", "team", "--output", "json"))

    assert told["account"] == {"guid": accounts[1][1], "name": accounts[1][0]}
    assert told["resource_group"] == {"name": "team"}
    assert accounts[1][1] in targeted.ok("target")


def test_a_wrong_password_is_told_with_its_code(
    targeted: CommandLine, new_tenant: NewTenant
) -> None:
    email = f"{new_tenant().namespace}@example.com"

    done = targeted("login", "-u", email, "-p", "wrong password")

    assert done.code == 1
    assert done.out.endswith(
        "Authenticating...\nFAILED\nCredentials were rejected.\nCode: BXNIM0602E, message: "
        f"The credentials you entered for the user '{email}' are incorrect\n\n"
    )
    chinese = targeted.in_chinese()("login", "-u", email, "-p", "wrong password")
    assert "失败\n凭证被拒绝。\n代码：BXNIM0602E" in chinese.out


def test_an_unknown_key_is_told_with_its_code(targeted: CommandLine) -> None:
    done = targeted("login", "--apikey", "whf_nothing")

    assert done.code == 1
    assert "Code: BXNIM0415E, message: Provided API key could not be found." in done.out


def test_a_key_does_not_lead_to_another_account(
    targeted: CommandLine, new_tenant: NewTenant
) -> None:
    mine, other = new_tenant(), new_tenant()

    done = targeted("login", "--apikey", mine.api_key, "-c", other.account)

    assert done.code == 1
    assert f"The API key belongs to the account {mine.account}" in done.out
    assert targeted.failed("target") == "Not logged in. Use 'ibmcloud login' to log in."


def test_questions_end_where_the_input_does(ibmcloud: CommandLine, targeted: CommandLine) -> None:
    assert targeted("login").out.endswith("FAILED\nCould not read from input: EOF\n\n")


def test_regions_are_listed(targeted: CommandLine, server: Server) -> None:
    first, _, header, row, _ = targeted.ok("regions").splitlines()
    names = ("Name", "Geolocation", "Customer", "Deployment", "Domain", "CF API Endpoint", "Type")
    values = ("local", "local", "IBM Cloud", "Production", server.registry, server.api, "public")

    assert first == "Listing regions..."
    widths = [max(map(len, pair)) for pair in zip(names, values, strict=True)]
    for line, cells in ((header, names), (row, values)):
        padded = (f"{cell:{width}}   " for cell, width in zip(cells, widths, strict=True))
        assert line == "".join(padded)
    assert json.loads(targeted.ok("regions", "--output", "json"))[0]["name"] == "local"


def test_an_unknown_region_is_refused(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in

    assert ibmcloud.failed("target", "-r", "mars") == (
        "The region 'mars' was not found. Use 'ibmcloud regions' to list them."
    )
    assert "Switched to region local" in ibmcloud.ok("target", "-r", "local")


def test_the_token_is_what_scripts_take(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    iam, uaa = ibmcloud.ok("iam", "oauth-tokens").splitlines()

    assert iam.startswith("IAM token:  Bearer ey")
    assert iam.split()[3] == uaa.split()[3]
    assert len(iam.split()) == 4


def test_a_newer_version_is_told_to_who_wants_to_know(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    ibmcloud = CommandLine(tmp_path / "home")
    url = "https://releases.example/99"
    settings = {"WHARFINGER_CLI_VERSION": "99.0", "WHARFINGER_CLI_URL": url}
    notice = (
        f"New version 99.0 is available.\nRelease notes: {url}\n"
        "TIP: use 'ibmcloud config --check-version=false' to disable update check.\n"
    )
    with Server(tmp_path / "data", settings=settings) as server:
        login = ("login", "-a", server.api, "--apikey", server.operator.api_key)
        assert ibmcloud.ok(*login).endswith(notice)
        silent = ibmcloud(*login, variables={"IBMCLOUD_VERSION_CHECK": "false"})
        assert (silent.code, "New version" in silent.out) == (0, False)
        ibmcloud.ok("config", "--check-version=false")
        assert "New version" not in ibmcloud.ok(*login)


def test_a_token_near_its_end_is_renewed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    ibmcloud = CommandLine(home)
    # A token lives a minute here, which is less than one must have left.
    with Server(tmp_path / "data", settings={"WHARFINGER_IAM_TOKEN_SECONDS": "60"}) as server:
        operator = server.operator
        ibmcloud.ok("login", "-a", server.api, "--apikey", operator.api_key)
        first = ibmcloud.ok("iam", "oauth-tokens")
        assert ibmcloud.ok("iam", "oauth-tokens") != first

        client = Operator.of(server)
        headers = client._headers(operator.account)
        keys = client.http.get("/identity/v1/apikeys", headers=headers).json()["apikeys"]
        client.http.delete(f"/identity/v1/apikeys/{keys[0]['id']}", headers=headers)
        client.close()
        assert ibmcloud.failed("iam", "oauth-tokens") == (
            "Your session has expired. Use 'ibmcloud login' to log in again."
        )
        assert ibmcloud.in_chinese().failed("iam", "oauth-tokens") == (
            "您的会话已到期。请使用 'ibmcloud login' 重新登录。"
        )
