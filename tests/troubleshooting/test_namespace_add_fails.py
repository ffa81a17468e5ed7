"""A namespace cannot be added, with a message of its own for each cause (guide, section 5)."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import insert, select, update

from tests.conftest import NewTenant
from tests.support.command_line import CommandLine
from tests.support.images import Dock
from tests.support.server import Server, Tenant
from wharfinger.jobs.tables import jobs
from wharfinger.namespaces.model import EMPTYING
from wharfinger.namespaces.tables import namespaces

SECONDS = 60.0
LENGTH = "Choose a name of 4 to 30 characters.", "请选择 4 到 30 个字符的名称。"
FIRST = (
    "Choose a name whose first character is a lowercase letter or a digit.",
    "请选择首字符为小写字母或数字的名称。",
)
LETTERS = (
    "Use only lowercase letters a to z, digits, _ and, where the service allows it, -.",
    "请只使用小写字母 a 到 z、数字、_，以及（在服务允许时）-。",
)
AROUND = (
    "Put letters or digits at the end and around each _, __ or run of hyphens.",
    "请在末尾以及每个 _、__ 或连字符串的两侧使用字母或数字。",
)
LONG = "a" * 31
BROKEN = (
    (
        "abc",
        "The namespace name 'abc' is too short: it needs 4 characters or more",
        "名称空间名称“abc”过短：至少需要 4 个字符",
        LENGTH,
    ),
    (
        "",
        "The namespace name '' is too short: it needs 4 characters or more",
        "名称空间名称“”过短：至少需要 4 个字符",
        LENGTH,
    ),
    (
        LONG,
        f"The namespace name '{LONG}' is too long: it may have 30 characters at most",
        f"名称空间名称“{LONG}”过长：最多 30 个字符",
        LENGTH,
    ),
    (
        "_team",
        "The namespace name '_team' does not begin with a letter or a digit",
        "名称空间名称“_team”没有以字母或数字开头",
        FIRST,
    ),
    (
        "Team",
        "The namespace name 'Team' holds the capital letter 'T', which is not allowed",
        "名称空间名称“Team”含有不允许的大写字母“T”",
        LETTERS,
    ),
    (
        "my.team",
        "The namespace name 'my.team' holds '.', which is not allowed",
        "名称空间名称“my.team”含有不允许的“.”",
        LETTERS,
    ),
    (
        "team/app",
        "The namespace name 'team/app' holds '/', which is not allowed",
        "名称空间名称“team/app”含有不允许的“/”",
        LETTERS,
    ),
    (
        "our team",
        "The namespace name 'our team' holds a space, which is not allowed",
        "名称空间名称“our team”含有不允许的空格",
        LETTERS,
    ),
    # These fit the rule of the guide; clients would refuse each image in them.
    (
        "team_",
        "The namespace name 'team_' could not be used in image names: it ends with '_'",
        "名称空间名称“team_”无法用于映像名称：以“_”结尾",
        AROUND,
    ),
    (
        "a___b",
        "The namespace name 'a___b' could not be used in image names: it holds more than two '_' "
        "in a row",
        "名称空间名称“a___b”无法用于映像名称：含有连续两个以上的“_”",
        AROUND,
    ),
)


@pytest.fixture
def user(signed_in: tuple[CommandLine, Tenant], offered_house: None) -> CommandLine:
    """Somebody who is signed in and has installed the plug-in."""
    ibmcloud, _ = signed_in
    ibmcloud.ok("plugin", "install", "container-registry")
    return ibmcloud


@pytest.fixture
def tenant(signed_in: tuple[CommandLine, Tenant]) -> Tenant:
    return signed_in[1]


def told(user: CommandLine, name: str) -> list[str]:
    """What `cr namespace-add` says below FAILED, but for the line that names the request."""
    lines = user.refused("cr", "namespace-add", name).splitlines()
    assert re.fullmatch(r"Request [0-9a-f]{24} .*|请求 [0-9a-f]{24}（.*", lines[-1])
    return lines[:-1]


def added(user: CommandLine, name: str) -> bool:
    done = user("cr", "namespace-add", name)
    return done.out.endswith(f"\n\nSuccessfully added namespace '{name}'\n\nOK\n")


def test_names_that_break_a_rule(user: CommandLine) -> None:
    """One after the other, for signing in costs more than all of them."""
    for name, english, chinese, cure in BROKEN:
        assert told(user, name) == [english, cure[0]]
        assert told(user.in_chinese(), name) == [chinese, cure[1]]

    for good in (f"t{secrets.token_hex(3)}", f"{secrets.randbelow(10)}a_{secrets.token_hex(12)}"):
        assert added(user, good)


def test_a_name_that_another_account_has(user: CommandLine, new_tenant: NewTenant) -> None:
    taken = new_tenant().namespace

    assert told(user, taken) == [
        f"The namespace '{taken}' is already in use.",
        "Choose another name.",
    ]
    assert told(user.in_chinese(), taken)[0] == f"名称空间“{taken}”已被使用。"
    assert added(user, f"{taken}x")


def test_a_name_that_is_still_being_emptied(
    user: CommandLine, tenant: Tenant, server: Server
) -> None:
    name = tenant.namespace
    dock = Dock(server.api, tenant)
    dock.push(f"{name}/app", "1", "2")
    dock.close()

    with held_up(server, name):
        user.ok("cr", "namespace-rm", name, "-f")
        english, chinese = told(user, name), told(user.in_chinese(), name)

    left = re.fullmatch(
        f"The namespace '{name}' was deleted and is still being emptied; "
        r"things left to remove: (\d+)",
        english[0],
    )
    assert left
    assert int(left[1]) > 1
    assert english[1] == "Wait until it is empty and add it again, or choose another name."
    assert chinese == [
        f"名称空间“{name}”已删除，目前仍在清空；剩余待移除的对象：{left[1]}",
        "请等待清空完成后再次添加，或选择其他名称。",
    ]
    deadline = time.monotonic() + SECONDS
    while not added(user, name):
        assert time.monotonic() < deadline
    assert user.ok("cr", "images", "-q") == ""


@contextmanager
def held_up(server: Server, name: str) -> Iterator[None]:
    """Whoever empties deleted namespaces holds this one, and does not come on with it."""
    with server.database() as connection:
        region = connection.scalar(select(namespaces.c.region).where(namespaces.c.name == name))
        held = {"lease_owner": "busy", "leased_until": time.time() + 3600, "fence": 1}
        empty = {"payload": "{}", "run_at": 0.0, "attempts": 1, "last_error": "", "created_at": 0}
        row = {"kind": EMPTYING, "subject": f"{region}/{name}", **held, **empty}
        connection.execute(insert(jobs).values(row))
    yield
    with server.database() as connection:
        free = {"lease_owner": "", "leased_until": 0.0}
        connection.execute(update(jobs).where(jobs.c.lease_owner == "busy").values(free))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that keeps to the rule of 2018: no hyphens."""
    settings = {"WHARFINGER_NAMESPACE_HYPHENS": "false"}
    with Server(tmp_path_factory.mktemp("plain") / "data", settings=settings) as server:
        yield server


def test_a_hyphen_where_the_operator_switched_them_off(user: CommandLine, plain: Server) -> None:
    name = "our-team"
    assert added(user, f"t-{secrets.token_hex(4)}")
    user.ok("login", "-a", plain.api, "--apikey", plain.operator.api_key)

    assert told(user, name) == [
        "The namespace name 'our-team' holds a hyphen, which this service does not allow",
        "Use _ instead of -, or ask the operator to set namespace_hyphens.",
    ]
    assert told(user.in_chinese(), name)[0] == (
        "名称空间名称“our-team”含有连字符，而此服务不允许使用连字符"
    )
    assert added(user, "our_team")
