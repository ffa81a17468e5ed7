"""API keys, users, service ids and policies from the command line."""

from __future__ import annotations

import json
import secrets

from tests.support.command_line import CommandLine
from tests.support.server import Tenant


def test_api_keys_come_and_go(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, tenant = signed_in
    user = f"{tenant.namespace}@example.com"

    made = ibmcloud.ok("iam", "api-key-create", "laptop", "-d", "my machine")
    assert made.startswith(
        f"Creating API key laptop as {user}...\nOK\nAPI key laptop was created\n\n"
    )
    assert "Please preserve the API key! It cannot be retrieved after it's created.\n" in made
    rows = dict(line.split("   ", 1) for line in made.splitlines() if "   " in line.strip())
    assert {name.strip() for name in rows} == {
        "Name",
        "Description",
        "Bound To",
        "Created At",
        "API Key",
        "Locked",
        "UUID",
    }
    # Scripts of 2017 take the last line.
    key = made.rstrip().splitlines()[-1].split()[-1]
    ibmcloud.ok("login", "--apikey", key)

    listed = ibmcloud.ok("iam", "api-keys").splitlines()
    header = next(line for line in listed if line.startswith("Name "))
    assert header.split() == ["Name", "Description", "Created", "At", "Locked", "UUID"]
    assert any(line.startswith("laptop") and "my machine" in line for line in listed)

    assert "Really delete API key laptop? [y/N]> n\n" in ibmcloud.ok(
        "iam", "api-key-delete", "laptop", stdin="n\n"
    )
    assert ibmcloud.ok("iam", "api-key-delete", "laptop", "-f") == (
        f"Deleting API key laptop as {user}...\nOK\n"
    )
    # The session lives on that key, and ends with it.
    assert ibmcloud("iam", "api-keys").code == 1


def test_a_user_gets_and_loses_a_role(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, tenant = signed_in
    email, password = f"{secrets.token_hex(5)}@example.com", secrets.token_urlsafe(24)

    added = ibmcloud.ok("iam", "user-add", email, "--password", stdin=f"{password}\n")
    assert password not in added
    assert email in ibmcloud.ok("iam", "users")
    ibmcloud.ok(
        "iam", "user-policy-create", email, "--roles", "reader", "--resource", tenant.namespace
    )
    policies = json.loads(ibmcloud.ok("iam", "user-policies", email, "--output", "json"))
    assert [(one["role"], one["namespace"]) for one in policies] == [("Reader", tenant.namespace)]

    ibmcloud.ok("iam", "user-policy-delete", email, policies[0]["id"], "-f")
    assert json.loads(ibmcloud.ok("iam", "user-policies", email, "--output", "json")) == []
    ibmcloud.ok("iam", "user-remove", email, "-f")
    assert email not in ibmcloud.ok("iam", "users")
    assert ibmcloud.failed("iam", "user-remove", email) == f"There is no user named '{email}'"


def test_a_service_id_gets_a_key(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, tenant = signed_in
    ibmcloud.ok("iam", "service-id-create", "builder", "-d", "builds")
    ibmcloud.ok("iam", "service-policy-create", "builder", "--roles", "Writer")
    made = ibmcloud.ok("iam", "service-api-key-create", "ci", "builder", "--output", "json")

    said = ibmcloud.ok("login", "--apikey", json.loads(made)["apikey"])

    assert f"Targeted account {tenant.namespace} ({tenant.account})" in said
    assert "User:" in said
    assert "builder" in said


def test_a_wrong_role_is_named(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in

    assert ibmcloud.failed("iam", "user-policy-create", "x@example.com", "--roles", "king") == (
        "Invalid value for --roles: it is one of Reader, Writer, Manager"
    )


def test_what_the_service_refuses_is_told_with_cure_and_request(
    signed_in: tuple[CommandLine, Tenant],
) -> None:
    ibmcloud, tenant = signed_in
    key = tenant.service_key("reader", "Reader")
    ibmcloud.ok("login", "--apikey", key)

    message, cure, request = ibmcloud.failed("iam", "users").splitlines()

    assert message.startswith("You are not authorized to access the specified resource")
    assert cure == "Ask a Manager of the account for the role Manager."
    ident = request.split()[1]
    assert request == f"Request {ident} (WHF0218): 'ibmcloud explain {ident}' tells more."
    kept = json.loads((ibmcloud.folder / "requests.json").read_text())["requests"]
    assert (kept[-1]["request_id"], kept[-1]["code"]) == (ident, "WHF0218")
