"""Retention policies on a running server: trial, first run, roles, and what stays."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.conftest import NewTenant
from tests.support.images import Dock, second
from tests.support.server import Identity, Server, Tenant

SECONDS = 60.0


def until(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.1)
    return done()


def policy(tenant: Tenant, images: int, **more: object) -> dict[str, object]:
    return {"namespace": tenant.namespace, "images_per_repo": images, **more}


def test_by_default_everything_is_kept_in_every_namespace(dock: Dock, tenant: Tenant) -> None:
    expected = {
        "namespace": tenant.namespace,
        "account": tenant.account,
        "images_per_repo": -1,
        "retain_untagged": True,
        "deletion_threshold_days": 0,
    }
    assert dock.call("GET", "/retentions").json() == {tenant.namespace: expected}
    assert dock.call("GET", f"/retentions/{tenant.namespace}").json() == expected


def test_a_policy_is_shown_as_it_was_set(dock: Dock, tenant: Tenant) -> None:
    answer = dock.call("POST", "/retentions", json=policy(tenant, 7, deletion_threshold_days=3))
    assert (answer.status_code, answer.content) == (200, b"")
    shown = dock.call("GET", f"/retentions/{tenant.namespace}").json()
    assert (shown["images_per_repo"], shown["retain_untagged"]) == (7, False)
    assert shown["deletion_threshold_days"] == 3
    dock.call("POST", "/retentions", json={"namespace": tenant.namespace})
    shown = dock.call("GET", "/retentions").json()[tenant.namespace]
    assert (shown["images_per_repo"], shown["retain_untagged"]) == (-1, False)


def test_the_trial_says_what_the_run_then_does(dock: Dock, tenant: Tenant) -> None:
    first, other = f"{tenant.namespace}/a", f"{tenant.namespace}/b"
    images = [
        dock.push(first, f"v{number}", created=second(number), layers=[bytes([number])])
        for number in (3, 1, 4, 2)
    ]
    child = dock.push(first, "child", created=second(0), layers=[b"child"])
    index = dock.push_index(first, "multi", children=[child])
    undated = dock.push(first, "undated", created=None, layers=[b"undated"])
    dock.push(other, "only", created=second(0))
    doomed = {
        dock.ref(first, images[1].digest): [dock.ref(first, "v1")],
        dock.ref(first, images[3].digest): [dock.ref(first, "v2")],
    }

    trial = dock.call("POST", "/retentions/analyze", json=policy(tenant, 2))
    assert (trial.status_code, trial.json()) == (200, doomed)
    assert set(dock.tags(first)) == {"v1", "v2", "v3", "v4", "child", "multi", "undated"}

    dock.call("POST", "/retentions", json=policy(tenant, 2)).raise_for_status()
    assert until(lambda: len(dock.tags(first)) == 5), dock.tags(first)
    assert set(dock.tags(first)) == {"v3", "v4", "child", "multi", "undated"}
    assert dock.tags(other) == ["only"]
    for one in (child, index, undated):
        assert dock.pulls(first, one.digest) == 200
    assert set(dock.call("GET", "/trash").json()) == set(doomed)
    assert dock.call("POST", "/retentions/analyze", json=policy(tenant, 2)).json() == {}
    rows = [
        (row["action"], row["actor"])
        for row in dock.call("GET", "/audit").json()["entries"]
        if row["action"] in {"image.retire", "retention.set"}
    ]
    setter = next(actor for action, actor in rows if action == "retention.set")
    assert rows == [("image.retire", setter)] * 2 + [("retention.set", setter)]


def test_images_of_an_index_under_way_are_not_taken(dock: Dock, tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/app"
    dock.push(repository, "new", created=second(9), layers=[b"new"])
    child = dock.push(repository, created=second(1), layers=[b"child"])
    assert dock.call("POST", "/retentions/analyze", json=policy(tenant, 1)).json() == {}
    index = dock.push_index(repository, "multi", children=[child])
    assert dock.pulls(repository, index.digest) == 200


def test_others_neither_see_nor_set_it(
    dock: Dock, tenant: Tenant, server: Server, new_tenant: NewTenant
) -> None:
    stranger = Dock(server.api, new_tenant())
    for name in (tenant.namespace, "never-was"):
        body = {"namespace": name, "images_per_repo": 1}
        assert stranger.call("GET", f"/retentions/{name}").status_code == 403
        assert stranger.call("POST", "/retentions", json=body).status_code == 403
        assert stranger.call("POST", "/retentions/analyze", json=body).status_code == 403
    assert tenant.namespace not in stranger.call("GET", "/retentions").json()
    stranger.close()
    shown = dock.call("GET", f"/retentions/{tenant.namespace}").json()
    assert shown["images_per_repo"] == -1


def test_roles(dock: Dock, tenant: Tenant, server: Server) -> None:
    expected = {"Reader": [200, 200, 403], "Writer": [403, 403, 200]}
    for role, statuses in expected.items():
        key = tenant.service_key(role, role, tenant.namespace)
        who = Dock(server.api, Identity(server.api, tenant.account, key))
        body = policy(tenant, 5)
        seen = [
            who.call("GET", f"/retentions/{tenant.namespace}").status_code,
            who.call("POST", "/retentions/analyze", json=body).status_code,
            who.call("POST", "/retentions", json=body).status_code,
        ]
        assert seen == statuses, role
        who.close()


@pytest.mark.parametrize(
    "change",
    [
        {"images_per_repo": 0},
        {"images_per_repo": -2},
        {"images_per_repo": "2"},
        {"images_per_repo": None},
        {"retain_untagged": 1},
        {"deletion_threshold_days": -1},
        {"namespace": None},
    ],
)
def test_what_is_no_policy_is_refused(
    dock: Dock, tenant: Tenant, change: dict[str, object]
) -> None:
    body = policy(tenant, 2) | change
    assert dock.call("POST", "/retentions", json=body).status_code == 400


def test_a_policy_ends_with_its_namespace(dock: Dock, tenant: Tenant) -> None:
    dock.call("POST", "/retentions", json=policy(tenant, 1)).raise_for_status()
    dock.call("DELETE", f"/namespaces/{tenant.namespace}").raise_for_status()
    path = f"/namespaces/{tenant.namespace}"
    assert until(lambda: dock.call("PUT", path).status_code == 201)
    shown = dock.call("GET", f"/retentions/{tenant.namespace}").json()
    assert shown["images_per_repo"] == -1
