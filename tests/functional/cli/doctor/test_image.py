"""What doctor finds about one image, from the token to the first bytes of a layer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import NewTenant
from tests.support.command_line import CommandLine
from tests.support.doctor import findings, last
from tests.support.faults import Fault, FaultProxy
from tests.support.images import Dock
from tests.support.s3 import S3Server
from tests.support.server import Operator, Server, Tenant

STEPS = ["scopes", "quota", "manifest", "layer"]


@pytest.fixture
def dock(server: Server, signed_in: tuple[CommandLine, Tenant]) -> Iterator[Dock]:
    made = Dock(server.api, signed_in[1])
    yield made
    made.close()


@pytest.fixture
def user(signed_in: tuple[CommandLine, Tenant]) -> CommandLine:
    return signed_in[0]


@pytest.fixture
def repository(signed_in: tuple[CommandLine, Tenant]) -> str:
    return f"{signed_in[1].namespace}/app"


def test_an_image_that_can_be_pulled(
    user: CommandLine, dock: Dock, repository: str, server: Server
) -> None:
    dock.push(repository, "1")
    for name in (f"{repository}:1", f"{server.registry}/{repository}:1"):
        code, told = findings(user, name)

        assert [one["check"] for one in told][-5:] == [*STEPS, "client"]
        assert {one["severity"] for one in told[-5:-1]} == {"ok"}
        # To pull, a client is needed: what only would have been a warning is the cause now.
        assert (code, told[-1]["code"]) == (25, "WHF1195")


def test_an_index_leads_to_the_image_for_this_machine(
    user: CommandLine, dock: Dock, repository: str
) -> None:
    child = dock.push(repository, layers=[b"one", b"two"])
    dock.push_index(repository, "all", children=[child])
    _, told = findings(user, f"{repository}:all")

    shown = {one["check"]: one["message"] for one in told}
    assert shown["manifest"] == "The manifest is there; it has 2 layers"
    assert shown["layer"].startswith("The first layer comes from localhost")


def test_a_tag_that_there_is_not(user: CommandLine, dock: Dock, repository: str) -> None:
    dock.push(repository, "1")

    assert last(user, f"{repository}:nothing") == (23, "manifest", "WHF0826")


def test_a_text_that_is_no_name(user: CommandLine) -> None:
    for text in ("app", "Team/App", "team/app:", "team/app@sha256:1"):
        assert last(user, text) == (10, "config", "WHF1179"), text


def test_the_namespace_of_another_account(user: CommandLine, new_tenant: NewTenant) -> None:
    other = new_tenant()
    code, told = findings(user, f"{other.namespace}/app")

    assert (code, told[-1]["check"], told[-1]["code"]) == (21, "scopes", "WHF1190")
    # No word that tells whether it exists.
    _, nobody = findings(user, "nobodys/app")
    assert told[-1]["message"].replace(other.namespace, "nobodys") == nobody[-1]["message"]


def test_the_traffic_of_the_month_is_used_up(
    user: CommandLine, dock: Dock, repository: str, signed_in: tuple[CommandLine, Tenant]
) -> None:
    dock.push(repository, "1")
    signed_in[1].set_quotas(traffic=0)
    code, told = findings(user, f"{repository}:1")
    assert (code, told[-1]["check"], told[-1]["code"]) == (22, "quota", "WHF1191")
    assert "cr quota-set --traffic MB" in told[-1]["cure"]

    signed_in[1].set_quotas(traffic=100, storage=0)
    code, told = findings(user, f"{repository}:1")
    quota = next(one for one in told if one["check"] == "quota")
    assert (quota["severity"], quota["code"]) == ("warning", "WHF1192")


def test_latest_is_older_than_the_newest_tag(
    user: CommandLine, dock: Dock, repository: str
) -> None:
    dock.push(repository, "1", "latest", created="2018-08-01T12:00:00Z")
    _, told = findings(user, repository)
    assert "latest" not in [one["check"] for one in told]

    dock.push(repository, "2", created="2018-08-02T12:00:00Z")
    _, told = findings(user, repository)
    found = next(one for one in told if one["check"] == "latest")
    assert (found["severity"], found["code"]) == ("warning", "WHF1194")
    assert found["message"] == f"'{repository}:latest' is older than '{repository}:2'"

    dock.push(repository, "latest", created="2018-08-02T12:00:00Z")
    _, told = findings(user, repository)
    assert "latest" not in [one["check"] for one in told]


@pytest.fixture
def between(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as running:
        yield running


@pytest.fixture
def redirecting(tmp_path: Path, s3: S3Server, between: FaultProxy) -> Iterator[Server]:
    settings = {
        **s3.environment,
        "WHARFINGER_BLOBS_URL": s3.blobs_url(endpoint=between.endpoint),
        "WHARFINGER_BLOBS_REDIRECT": "true",
    }
    with Server(tmp_path / "data", settings=settings) as server:
        yield server


def test_a_layer_that_lies_in_a_bucket(
    ibmcloud: CommandLine, redirecting: Server, s3: S3Server, between: FaultProxy
) -> None:
    operator = Operator.of(redirecting)
    tenant = operator.create_tenant("bucket")
    dock = Dock(redirecting.api, tenant)
    dock.push("bucket/app", "1", layers=[secrets.token_bytes(100_000)])
    ibmcloud.ok("login", "-a", redirecting.api, "--apikey", tenant.api_key)

    _, told = findings(ibmcloud, "bucket/app:1")
    store = urlsplit(between.endpoint).netloc
    assert told[-2]["message"] == f"The first layer comes from {store}"

    # The service reaches the store, this machine does not.
    between.fail(Fault.RESET, times=float("inf"), containing="X-Amz-Signature")
    code, told = findings(ibmcloud, "bucket/app:1")
    assert (code, told[-1]["check"], told[-1]["code"]) == (24, "layer", "WHF0816")
    assert store in told[-1]["message"]

    between.clear()
    s3.stop()
    try:
        code, told = findings(ibmcloud, "bucket/app:1")
        assert (code, told[-1]["check"], told[-1]["code"]) == (24, "layer", "WHF0829")
    finally:
        s3.start()
    for each in (dock, tenant, operator):
        each.close()
