"""Pushing or pulling with docker fails; each cause has its text and its cure (guide, section 6)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.functional.cli.clients.conftest import Desk, desk_of
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.support.clocks import ahead, in_days
from tests.support.command_line import CommandLine
from tests.support.doctor import findings, last
from tests.support.server import Operator, Server

STORAGE = (
    "You have exceeded your storage quota. Delete one or more images, or review your storage "
    "quota and pricing plan"
)
TRAFFIC = (
    "You have exceeded your pull traffic quota for the current month. Review your pull traffic "
    "quota and pricing plan"
)
UNAUTHORIZED = "unauthorized: authentication required"
DENIED = "denied: requested access to the resource is denied"
PLANS = '[{"name": "tiny", "storage_megabytes": 1, "traffic_megabytes": 3}]'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a plan that one image fills."""
    settings = {"WHARFINGER_PLANS": PLANS, "WHARFINGER_QUOTA_REMEMBER_SECONDS": "0"}
    with Server(tmp_path_factory.mktemp("shop") / "data", settings=settings) as server:
        yield server


@pytest.fixture
def open_desk(
    tmp_path: Path, house_wheels: dict[str, Path], docker_engine: DockerEngine
) -> Iterator[Callable[[Server, str], Desk]]:
    """Makes customers of a service, each with an account, signed in; not yet docker."""
    made: list[Desk] = []

    def make(server: Server, plan: str) -> Desk:
        operator = Operator.of(server)
        tenant = operator.create_tenant(f"t{uuid.uuid4().hex[:12]}", plan)
        operator.close()
        home = tmp_path / f"customer-{len(made)}"
        home.mkdir()
        user = CommandLine(home)
        user.ok("login", "-a", server.api, "--apikey", tenant.api_key)
        made.append(desk_of(user, tenant, server, house_wheels, docker_engine))
        return made[-1]

    yield make
    for each in made:
        each.tenant.close()
        each.close()


@pytest.fixture
def customer(shop: Server, open_desk: Callable[[Server, str], Desk]) -> Desk:
    """Somebody on the tiny plan, with docker signed in."""
    desk = open_desk(shop, "tiny")
    desk.user.ok("cr", "login")
    return desk


def doctor_in_chinese(desk: Desk, tag: str, word: str) -> None:
    assert word in desk.user.in_chinese()("doctor", f"{desk.repository}:{tag}").out


def test_the_storage_quota_is_reached(customer: Desk, images: dict[str, Image]) -> None:
    first, second = images.values()
    customer.push_with("docker", first, "1").succeeded()
    customer.user.ok("cr", "quota-set", "--storage", "0")

    customer.push_with("docker", second, "2").refused(STORAGE)

    doctor_in_chinese(customer, "1", "账户的存储空间已用完")
    customer.user.ok("cr", "quota-set", "--storage", "1")
    customer.user.ok("cr", "image-rm", f"{customer.repository}:1")
    customer.docker("push", f"{customer.repository}:2").succeeded()


def test_a_larger_plan_has_room(customer: Desk, images: dict[str, Image]) -> None:
    first, second = images.values()
    customer.push_with("docker", first, "1").succeeded()
    customer.user.ok("cr", "quota-set", "--storage", "0")
    customer.push_with("docker", second, "2").refused(STORAGE)

    customer.user.ok("cr", "plan-upgrade")
    customer.user.ok("cr", "quota-set", "--storage", "600")

    customer.docker("push", f"{customer.repository}:2").succeeded()


def test_the_pull_traffic_quota_is_reached(customer: Desk, image: Image) -> None:
    customer.push_with("docker", image, "1").succeeded()
    customer.user.ok("cr", "quota-set", "--traffic", "0")

    customer.pull_with("docker", "1").refused(TRAFFIC)

    assert last(customer.user, f"{customer.repository}:1") == (22, "quota", "WHF1191")
    doctor_in_chinese(customer, "1", "本月的拉取流量已用完")
    customer.user.ok("cr", "quota-set", "--traffic", "3")
    customer.pull_with("docker", "1").succeeded()


def test_pull_traffic_that_a_larger_plan_allows(customer: Desk, image: Image) -> None:
    customer.push_with("docker", image, "1").succeeded()
    while (pulled := customer.pull_with("docker", "1")).ok:
        continue
    pulled.refused(TRAFFIC)

    customer.user.ok("cr", "plan-upgrade", "standard")

    customer.pull_with("docker", "1").succeeded()


def test_docker_is_not_signed_in(
    shop: Server, open_desk: Callable[[Server, str], Desk], image: Image
) -> None:
    desk = open_desk(shop, "tiny")
    desk.push_with("docker", image, "1").refused(UNAUTHORIZED)
    desk.pull_with("docker", "1").refused(UNAUTHORIZED)

    desk.user.ok("cr", "login")

    desk.push_with("docker", image, "1").succeeded()
    desk.pull_with("docker", "1").succeeded()


def test_the_token_has_expired(
    tmp_path: Path, open_desk: Callable[[Server, str], Desk], image: Image
) -> None:
    with Server(tmp_path / "data") as server:
        desk = open_desk(server, "standard")
        desk.user.ok("cr", "login")
        desk.push_with("docker", image, "1").succeeded()
        desk.pull_with("docker", "1").succeeded()

        server.settings |= in_days(31)
        server.restart()
        desk.pull_with("docker", "1").refused(UNAUTHORIZED)
        user = replace(desk.user, prefix=ahead("+31d"))
        assert "Your session has expired" in user.failed("cr", "login")
        assert "您的会话已到期" in user.in_chinese().failed("cr", "login")

        user.ok("login", "--apikey", desk.tenant.api_key)
        user.ok("cr", "login")
        desk.pull_with("docker", "1").succeeded()


def test_the_namespace_of_another_account(
    shop: Server, customer: Desk, open_desk: Callable[[Server, str], Desk], image: Image
) -> None:
    neighbour = open_desk(shop, "tiny")
    neighbour.user.ok("cr", "login")
    neighbour.push_with("docker", image, "1").succeeded()
    theirs = f"{neighbour.repository}:1"

    customer.docker("tag", theirs, theirs.replace(":1", ":mine")).succeeded()
    customer.docker("push", f"{neighbour.repository}:mine").refused(DENIED)
    there = replace(customer, repository_name=neighbour.repository)
    there.pull_with("docker", "1").refused("denied", "requested access to the resource is denied")
    assert last(customer.user, theirs) == (21, "scopes", "WHF1190")
    assert "没有从" in customer.user.in_chinese()("doctor", theirs).out

    customer.push_with("docker", image, "1").succeeded()
    customer.pull_with("docker", "1").succeeded()


def test_a_reader_pushes(customer: Desk, image: Image) -> None:
    """The right rights: a colleague of the same account becomes a Writer."""
    user, tenant = customer.user, customer.tenant
    service = tenant.create_service_id("ci")
    tenant.grant(service["iam_id"], "Reader", tenant.namespace)
    key = tenant.create_api_key("ci", service["iam_id"])
    login = ("login", "--username", "iamapikey", "--password", key, customer.server.registry)
    customer.push_with("docker", image, "1").succeeded()
    customer.docker(*login).succeeded()
    customer.pull_with("docker", "1").succeeded()
    customer.push_with("docker", image, "2").refused(DENIED)

    words = ("--roles", "Writer", "--resource", tenant.namespace)
    user.ok("iam", "service-policy-create", "ci", *words)

    customer.push_with("docker", image, "2").succeeded()


def test_a_read_only_token_pushes(customer: Desk, image: Image) -> None:
    customer.push_with("docker", image, "1").succeeded()
    sign_in_with_token(customer)
    customer.pull_with("docker", "1").succeeded()
    customer.push_with("docker", image, "2").refused(DENIED)

    sign_in_with_token(customer, "--readwrite")

    customer.docker("push", f"{customer.repository}:2").succeeded()


def sign_in_with_token(desk: Desk, *flags: str) -> None:
    token = desk.user.ok("cr", "token-add", "-q", *flags).strip()
    words = ("login", "--username", "token", "--password", token, desk.server.registry)
    desk.docker(*words).succeeded()


def test_docker_is_missing(customer: Desk, image: Image, tmp_path: Path) -> None:
    customer.push_with("docker", image, "1").succeeded()
    (tmp_path / "nothing").mkdir()
    bare = {"PATH": str(tmp_path / "nothing")}
    name = f"{customer.repository}:1"

    assert (
        "Docker is not installed, or not in your PATH."
        in customer.user("cr", "login", variables=bare).out
    )
    assert last(customer.user, name, **bare) == (25, "client", "WHF1195")

    assert findings(customer.user, name)[0] == 0
    customer.pull_with("docker", "1").succeeded()
