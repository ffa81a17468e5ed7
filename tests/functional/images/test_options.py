"""What an account decides: private networks only, figures; and what the operator says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.images import Dock
from tests.support.server import Operator, Server, Tenant

SECONDS = 30.0


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server with two workers, where one proxy's word on addresses counts."""
    data = tmp_path_factory.mktemp("fortress") / "data"
    settings = {
        "WHARFINGER_REGIONS": json.dumps(
            [{"name": "home", "private_networks": ["10.0.0.0/8", "fd00::/8"]}]
        ),
        "WHARFINGER_TRUSTED_PROXIES": "127.0.0.0/8,::1/128",
        "WHARFINGER_REVOCATION_SECONDS": "1",
        "WHARFINGER_WORKERS": "2",
        "WHARFINGER_MESSAGE": "Maintenance on Sunday, 维护",
    }
    with Server(data, settings=settings) as running:
        yield running, data


@pytest.fixture
def other_keep(fortress: tuple[Server, Path]) -> Iterator[Dock]:
    """Somebody else's."""
    server, _ = fortress
    operator = Operator.of(server)
    dock = Dock(server.api, operator.create_tenant(f"other{time.monotonic_ns() % 10**9}"))
    yield dock
    for each in (operator, dock):
        each.close()


@pytest.fixture
def keep(fortress: tuple[Server, Path]) -> Iterator[Dock]:
    server, _ = fortress
    operator = Operator.of(server)
    tenant = operator.create_tenant(f"keep{time.monotonic_ns() % 10**9}")
    dock = Dock(server.api, tenant)
    yield dock
    for each in (operator, tenant, dock):
        each.close()


def namespace(dock: Dock) -> str:
    assert isinstance(dock.who, Tenant)
    return dock.who.namespace


def pulls(dock: Dock, repository: str, address: str) -> set[int]:
    """The statuses of some pulls over fresh connections, so that both workers answer."""
    token = dock.who.registry_token([f"repository:{repository}:pull,push"])
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    url = f"{dock.http.base_url}/v2/{repository}/manifests/v1"
    return {httpx.get(url, headers=headers).status_code for _ in range(6)}


def until(dock: Dock, repository: str, address: str, status: int) -> set[int]:
    deadline = time.monotonic() + SECONDS
    while (seen := pulls(dock, repository, address)) != {status}:
        if time.monotonic() > deadline:
            break
    return seen


def explained(dock: Dock, request_id: str) -> object:
    """The rule that refused the request, once it is written down."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = dock.call("GET", f"/explain/{request_id}")
        if answer.status_code == 200:
            return answer.json()["rule"]
    return answer.text


def test_private_only_holds_for_pulls_and_pushes_from_everywhere_else(keep: Dock) -> None:
    repository = f"{namespace(keep)}/app"
    pushed = keep.push(repository, "v1")
    assert keep.call("GET", "/auth").json() == {"iam_authz": True, "private_only": False}
    assert pulls(keep, repository, "198.51.100.7") == {200}

    answer = keep.call("PATCH", "/auth", json={"iam_authz": True, "private_only": True})
    assert (answer.status_code, answer.content) == (204, b"")
    assert keep.call("GET", "/auth").json() == {"iam_authz": True, "private_only": True}
    assert until(keep, repository, "198.51.100.7", 403) == {403}
    assert pulls(keep, repository, "10.1.2.3") == {200}
    assert pulls(keep, repository, "fd00::1") == {200}

    outside = {"X-Forwarded-For": "198.51.100.7"}
    for method, path, status in (
        ("POST", "blobs/uploads/", 403),
        ("GET", f"blobs/{pushed.config}", 403),
        ("HEAD", "manifests/v1", 404),
        ("GET", "tags/list", 403),
    ):
        answer = keep.registry(method, path, repository, headers=outside)
        assert answer.status_code == status, path
    refused = keep.registry("GET", "manifests/v1", repository, headers=outside)
    detail = refused.json()["errors"][0]["detail"]
    assert detail["code"] == "WHF0520"
    assert explained(keep, detail["request_id"]) == {
        "kind": "network",
        "values": {"address": "198.51.100.7", "namespace": namespace(keep)},
        "needed": "an address in the private networks of the region home",
    }
    assert keep.images()[0]["RepoTags"], "the control API is not restricted"

    keep.call("PATCH", "/auth", json={"private_only": False}).raise_for_status()
    assert until(keep, repository, "198.51.100.7", 200) == {200}


def test_one_account_restricts_no_other(keep: Dock, fortress: tuple[Server, Path]) -> None:
    server, _ = fortress
    operator = Operator.of(server)
    other = Dock(server.api, operator.create_tenant("kept-open"))
    repository = "kept-open/app"
    other.push(repository, "v1")
    keep.call("PATCH", "/auth", json={"private_only": True}).raise_for_status()
    assert pulls(other, repository, "198.51.100.7") == {200}
    other.close()
    operator.close()


def test_access_policies_cannot_be_switched_off(keep: Dock) -> None:
    change = {"iam_authz": False, "private_only": True}
    answer = keep.call("PATCH", "/auth", json=change)
    told = answer.json()
    assert (answer.status_code, told["code"], told["entry"]) == (400, "CRG0521E", "WHF0521")
    assert "Leave iam_authz out" in told["cure"]
    assert keep.call("GET", "/auth").json() == {"iam_authz": True, "private_only": False}
    assert keep.call("PATCH", "/auth", json={}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "sent", "english", "chinese"),
    [
        ("PATCH", "/auth", {"private_only": 1}, "it must be true or false", "必须为 true 或 false"),
        ("PATCH", "/auth", {"public": True}, "there is no such field", "没有这个字段"),
        ("PATCH", "/auth", [], "it must be a JSON object", "必须是 JSON 对象"),
        ("PATCH", "/quotas", {"storage_megabytes": "5"}, "it must be an integer", "必须为整数"),
        ("PATCH", "/quotas", {"storage_megabytes": 1.5}, "it must be an integer", "必须为整数"),
        (
            "PATCH",
            "/quotas",
            {"storage_megabytes": -2},
            "it must be -1 or more",
            "必须大于或等于 -1",
        ),
        ("PATCH", "/plans", {"plan": 7}, "it must be a text", "必须为文本"),
        ("POST", "/retentions", {"images_per_repo": 2}, "it is missing", "缺少该字段"),
        (
            "POST",
            "/retentions",
            {"namespace": "team", "images_per_repo": 0},
            "it must be -1 or more than 0",
            "必须为 -1 或大于 0",
        ),
        ("POST", "/images/bulkdelete", ["x"] * 1001, "it may have 1000 entries", "最多可以有 1000"),
        ("GET", "/images?limit=100001", None, "it must be 100000 or less", "必须小于或等于 100000"),
        ("GET", "/usage?format=xml", None, "it must be one of 'json', 'csv'", "必须为以下值之一"),
        ("GET", "/usage?from=May", None, "it must be a month, as YYYY-MM", "必须为月份"),
        (
            "GET",
            "/usage?from=2026-12&to=2026-01",
            None,
            "query.from: it must not be later than to",
            "不得晚于 to",
        ),
        ("POST", "/tokens?description=a%0Ab", None, "it must be one line of plain text", "单行"),
    ],
)
def test_what_is_wrong_with_a_field_is_told_in_the_language_of_who_asks(
    keep: Dock, method: str, path: str, sent: object, english: str, chinese: str
) -> None:
    body = {} if sent is None else {"json": sent}
    for language, text in (("en", english), ("zh-CN", chinese)):
        answer = keep.call(method, path, headers={"Accept-Language": language}, **body)
        told = answer.json()
        assert (answer.status_code, told["entry"]) == (400, "WHF0007")
        assert text in told["message"]


def test_settings_are_kept_and_shown(keep: Dock) -> None:
    assert keep.call("GET", "/settings").json() == {"platform_metrics": False}
    answer = keep.call("PATCH", "/settings", json={"platform_metrics": True})
    assert (answer.status_code, answer.content) == (204, b"")
    assert keep.call("GET", "/settings").json() == {"platform_metrics": True}
    assert keep.call("GET", "/auth").json()["private_only"] is False
    row = keep.call("GET", "/audit").json()["entries"][0]
    assert (row["action"], row["detail"]["platform_metrics"]) == ("settings.change", True)


def test_an_accounts_figures_are_for_its_own_monitoring(keep: Dock, other_keep: Dock) -> None:
    keep.push(f"{namespace(keep)}/app", "v1", "v2", layers=[b"12345"])
    for dock in (keep, other_keep):
        silent = dock.call("GET", "/metrics")
        assert (silent.status_code, silent.text) == (200, "")
    for dock in (keep, other_keep):
        dock.call("PATCH", "/settings", json={"platform_metrics": True}).raise_for_status()
    answer = keep.call("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    figures = {
        sample.name: (sample.value, sample.labels)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert {labels["account"] for _, labels in figures.values()} == {keep.who.account}
    assert figures["registry_images"][0] == 1
    assert figures["registry_tags"][0] == 2
    assert figures["registry_storage_bytes"][0] > 5
    assert keep.who.account not in other_keep.call("GET", "/metrics").text


def test_the_operators_message_is_for_everybody(fortress: tuple[Server, Path]) -> None:
    server, _ = fortress
    answer = httpx.get(f"{server.api}/api/v1/messages")
    assert (answer.status_code, answer.json()) == (200, "Maintenance on Sunday, 维护")


def test_without_a_message_there_is_no_content(server: Server) -> None:
    answer = httpx.get(f"{server.api}/api/v1/messages")
    assert (answer.status_code, answer.content) == (204, b"")
