"""Tenants made by commands: accounts, users, keys, namespaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.operator.support import answer, command
from tests.support.server import Identity, Server


def test_version_names_the_program_and_python() -> None:
    assert command("version").stdout.startswith("wharfd 0.")


def test_tenant_made_by_commands_can_sign_in_and_use_its_namespace(server: Server) -> None:
    data = ("--data", str(server.data))
    account = answer(*data, "account", "add", "by-command")
    member = ("--account", account["id"])
    user = answer(
        *data, "user", "add", "kim@example.com", *member, "--role", "Manager", "--password-stdin",
        given="a long enough password\n",
    )  # fmt: skip
    key = answer(*data, "apikey", "add", "laptop", *member, "--user", user["iam_id"])
    added = answer(*data, "namespace", "add", "bycommand", *member)

    assert account["plan"] == "standard"
    assert added == {"namespace": "bycommand", "account": account["id"]}
    listed = json.loads(
        command(*data, "account", "list", "--limit", "1000", "--output", "json").stdout
    )
    assert account in listed
    identity = Identity(server.api, account["id"], key["apikey"])
    headers = {"Authorization": f"Bearer {identity.iam_token()}", "Account": account["id"]}
    assert identity.http.get("/api/v1/namespaces", headers=headers).json() == ["bycommand"]
    identity.close()


def test_namespace_of_the_operator_needs_no_account(server: Server) -> None:
    added = answer("--data", str(server.data), "namespace", "add", "operators")

    assert added["account"] == server.operator.account


def test_refused_command_tells_code_and_cure(server: Server) -> None:
    done = command("--data", str(server.data), "namespace", "add", "abc")

    assert done.returncode == 1
    assert "is too short" in done.stderr
    assert "(WHF0301)" in done.stderr
    assert "Choose a name of 4 to 30 characters." in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add", "a@example.com", "--account", "none"),
        ("namespace", "add", "nobodys", "--account", "none"),
        ("account", "set-plan", "none", "free"),
    ],
)
def test_what_is_asked_of_an_unknown_account_is_refused(
    server: Server, arguments: tuple[str, ...]
) -> None:
    done = command("--data", str(server.data), *arguments)

    assert done.returncode == 1
    assert "There is no account 'none' (WHF0247)" in done.stderr
    assert "wharfd account list" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_argument_that_is_no_text_is_refused(server: Server) -> None:
    done = command("--data", str(server.data), "account", "add", "\udcff")

    assert done.returncode == 2
    assert "an argument holds bytes that are not UTF-8" in done.stderr


@pytest.mark.parametrize(
    ("name", "mode", "cause"),
    [
        ("master.key", 0o000, "master.key: Permission denied; run this as the user that owns"),
        ("blobs", 0o000, "Permission denied: '"),
        ("wharfinger.db", 0o000, "unable to open database file"),
    ],
)
@pytest.mark.parametrize("typed", [("account", "list"), ("gc", "--dry-run")])
def test_a_command_of_the_wrong_user_tells_which_file_it_may_not_use(
    tmp_path: Path, name: str, mode: int, cause: str, typed: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    assert command("--data", str(data), "init").returncode == 0
    (data / name).chmod(mode)

    done = command("--data", str(data), *typed, bound_by_modes=True)

    (data / name).chmod(0o700)
    assert done.returncode == 1
    assert cause in done.stderr
    assert "Traceback" not in done.stderr
