"""The published SDK, unchanged, drives every call it has; only its URLs point here."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from tests.support.images import Dock
from tests.support.server import Server, Tenant

# Imported so because the packages carry no types.
core = import_module("ibm_cloud_sdk_core")
authenticators = import_module("ibm_cloud_sdk_core.authenticators")
Client: Any = import_module("ibm_container_registry.container_registry_v1").ContainerRegistryV1


class Counted:
    """The SDK's client, and which of its calls were made."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.made: set[str] = set()

    def __call__(self, call: str, /, **arguments: Any) -> tuple[int, Any]:
        """Make a call; returns its status and result."""
        self.made.add(call)
        answer = getattr(self._client, call)(**arguments)
        return answer.get_status_code(), answer.get_result()


@pytest.fixture
def sdk(server: Server, tenant: Tenant) -> Counted:
    authenticator = authenticators.IAMAuthenticator(tenant.api_key, url=server.api)
    client = Client(account=tenant.account, authenticator=authenticator)
    client.set_service_url(server.api)
    return Counted(client)


def calls() -> set[str]:
    """Every call that the SDK has."""
    prefix = f"{Client.__name__}."
    return {
        name
        for name, function in inspect.getmembers(Client, inspect.isfunction)
        if not name.startswith("_") and function.__qualname__.startswith(prefix)
    }


def test_every_call_of_the_sdk_works(
    sdk: Counted, dock: Dock, repository: str, tenant: Tenant
) -> None:
    _namespaces(sdk, tenant)
    _images(sdk, dock, repository, tenant)
    _retention(sdk, tenant)
    _account(sdk)
    extra = f"{tenant.namespace}2"
    assert sdk("delete_namespace", name=extra)[0] == 204
    assert sdk.made == calls()


def _namespaces(sdk: Counted, tenant: Tenant) -> None:
    extra = f"{tenant.namespace}2"
    assert sdk("create_namespace", name=extra) == (201, {"namespace": extra})
    assert sdk("create_namespace", name=extra)[0] == 200
    assert sdk("list_namespaces") == (200, sorted([tenant.namespace, extra]))
    assigned = sdk("assign_namespace", x_auth_resource_group="group-1", name=extra)
    assert assigned == (200, {"namespace": extra})
    details = {one["name"]: one for one in sdk("list_namespace_details")[1]}
    assert details[extra]["resource_group"] == "group-1"


def _images(sdk: Counted, dock: Dock, repository: str, tenant: Tenant) -> None:
    pushed = dock.push(repository, "1", "2")
    full = dock.ref(repository, "1")
    by_digest = dock.ref(repository, pushed.digest)
    (listed,) = sdk("list_images", namespace=tenant.namespace)[1]
    assert sorted(listed["RepoTags"]) == [full, dock.ref(repository, "2")]
    (digest,) = sdk("list_image_digests", repositories=[full.rpartition(":")[0]])[1]
    assert digest["id"] == pushed.digest
    assert sdk("inspect_image", image=full)[1]["Architecture"] == "amd64"
    assert sdk("get_image_manifest", image=full)[1]["schemaVersion"] == 2
    assert sdk("tag_image", fromimage=full, toimage=dock.ref(repository, "3"))[0] == 201
    untagged = sdk("delete_image_tag", image=dock.ref(repository, "3"))
    assert untagged == (200, {"Untagged": dock.ref(repository, "3")})
    assert sdk("delete_image", image=full)[0] == 200
    assert sorted(sdk("list_deleted_images")[1][by_digest]["tags"]) == ["1", "2"]
    assert sdk("restore_image", image=full)[0] == 200
    assert sdk("delete_image", image=full)[0] == 200
    restored = sdk("restore_tags", digest=by_digest)[1]
    assert restored["unsuccessful"] == []
    assert "2" in restored["successful"]
    unknown = dock.ref(repository, "sha256:" + "0" * 64)
    told = sdk("bulk_delete_images", bulk_delete=[by_digest, unknown])[1]
    assert told["success"] == [by_digest]
    assert list(told["error"]) == [unknown]


def _retention(sdk: Counted, tenant: Tenant) -> None:
    policy = {"namespace": tenant.namespace, "images_per_repo": 5, "retain_untagged": True}
    assert sdk("analyze_retention_policy", **policy) == (200, {})
    assert sdk("set_retention_policy", **policy)[0] == 200
    kept = sdk("get_retention_policy", namespace=tenant.namespace)[1]
    assert kept["images_per_repo"] == 5
    assert tenant.namespace in sdk("list_retention_policies")[1]


def _account(sdk: Counted) -> None:
    assert sdk("get_plans")[1]["plan"]
    assert sdk("update_plans", plan="Standard")[0] == 200
    assert sdk("update_quota", storage_megabytes=100, traffic_megabytes=200)[0] == 200
    limit = sdk("get_quota")[1]["limit"]
    assert limit == {"storage_bytes": 100 * 2**20, "traffic_bytes": 200 * 2**20}
    assert sdk("update_settings", platform_metrics=True)[0] == 204
    assert sdk("get_settings")[1] == {"platform_metrics": True}
    assert sdk("update_auth", iam_authz=True, private_only=False)[0] == 204
    assert sdk("get_auth")[1] == {"iam_authz": True, "private_only": False}
    assert sdk("get_messages")[0] in {200, 204}


def test_refusals_reach_the_user_of_the_sdk_as_texts(sdk: Counted, tenant: Tenant) -> None:
    with pytest.raises(core.ApiException) as refused:
        sdk("create_namespace", name="ab")
    assert refused.value.status_code == 400
    assert "too short" in str(refused.value.message)
    assert refused.value.global_transaction_id
    assert tenant.explained(refused.value.global_transaction_id)["code"] == "WHF0301"
    with pytest.raises(core.ApiException) as absent:
        sdk("inspect_image", image=f"{tenant.namespace}/nothing:1")
    assert absent.value.status_code == 404


def test_an_unknown_key_is_told_as_such(server: Server, tenant: Tenant) -> None:
    client = Client(
        account=tenant.account,
        authenticator=authenticators.IAMAuthenticator("no-such-key", url=server.api),
    )
    client.set_service_url(server.api)
    with pytest.raises(core.ApiException) as refused:
        client.list_namespaces()
    assert refused.value.status_code == 400
    assert "Provided API key could not be found" in str(refused.value.message)


def test_set_up_from_variables_and_with_compressed_bodies(
    server: Server, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTAINER_REGISTRY_URL", server.api)
    monkeypatch.setenv("CONTAINER_REGISTRY_AUTH_URL", server.api)
    monkeypatch.setenv("CONTAINER_REGISTRY_APIKEY", tenant.api_key)
    client = Client.new_instance(account=tenant.account)
    client.set_enable_gzip_compression(True)
    client.set_retention_policy(tenant.namespace, images_per_repo=9)
    shown = client.get_retention_policy(tenant.namespace).get_result()
    assert shown["images_per_repo"] == 9
