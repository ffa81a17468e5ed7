"""Somebody needs help: an archive to hand over, and where to take it (guide, section 1)."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import CommandLine
from tests.support.server import Operator, Server, Tenant

HELP = "https://help.example.com/registry"


@pytest.fixture(scope="module")
def helpful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose operator offers help of its own."""
    settings = {"WHARFINGER_HELP_URL": f"{HELP}?code={{code}}"}
    with Server(tmp_path_factory.mktemp("helpful") / "data", settings=settings) as server:
        yield server


@pytest.fixture
def user(ibmcloud: CommandLine, helpful: Server) -> tuple[CommandLine, Tenant]:
    operator = Operator.of(helpful)
    tenant = operator.create_tenant(f"h{secrets.token_hex(5)}")
    ibmcloud.ok("login", "-a", helpful.api, "--apikey", tenant.api_key)
    operator.close()
    return ibmcloud, tenant


def test_the_archive_holds_what_the_operator_needs(
    user: tuple[CommandLine, Tenant], helpful: Server
) -> None:
    ibmcloud, tenant = user
    refused = ibmcloud.failed("iam", "user-remove", "nobody@example.com")
    assert refused == "There is no user named 'nobody@example.com'"
    ident = ibmcloud.refused("iam", "user-policy-delete", "x", "none", "-f").split("Request ")[1][
        :24
    ]

    said = ibmcloud.ok("support", "bundle")

    place = next(line for line in said.splitlines() if line.startswith("The archive is "))
    path = Path(place.removeprefix("The archive is "))
    assert path.parent == ibmcloud.home
    assert f"Help and support: {HELP}" in said
    with zipfile.ZipFile(path) as archive:
        parts = {name: json.loads(archive.read(name)) for name in archive.namelist()}
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert parts["versions.json"]["cli"].startswith("0.9.0")
    assert parts["config.json"]["APIEndpoint"] == helpful.api
    # What is said of container clients depends on the machine.
    way = {one["check"]: one["severity"] for one in parts["doctor.json"]}
    assert {way[name] for name in ("config", "dns", "tcp", "http", "clock", "sign-in")} == {"ok"}
    assert "error" not in way.values()
    assert parts["requests.json"][-1]["request_id"] == ident
    # What the operator finds under this id in the log of the service.
    assert ident in helpful.log.read_text()
    kept = json.loads((ibmcloud.folder / "config.json").read_text())
    for secret in (tenant.api_key, kept["IAMToken"], kept["IAMRefreshToken"]):
        assert secret not in everything


def test_answers_and_help_say_where_help_is(
    user: tuple[CommandLine, Tenant], helpful: Server
) -> None:
    ibmcloud, _ = user

    answer = httpx.get(f"{helpful.api}/api/v1/namespaces")
    assert answer.json()["help"] == f"{HELP}?code={answer.json()['entry']}"
    assert f"Help and support: {HELP}" in ibmcloud.ok("help")
    assert f"帮助和支持：{HELP}" in ibmcloud.in_chinese().ok("help")
