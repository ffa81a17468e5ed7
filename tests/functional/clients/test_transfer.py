"""What every image client has to be able to do, and the texts it shows when it may not."""

from __future__ import annotations

import pytest

from tests.conftest import NewTenant
from tests.functional.clients.conftest import MakeClient
from tests.functional.clients.drivers import CLIENTS, Client, Endpoint
from tests.functional.clients.images import Image
from tests.support.server import Tenant

USER = "iamapikey"
DENIED = "denied: requested access to the resource is denied"
WRONG_PASSWORD = {
    "docker": "unauthorized",
    "skopeo": "invalid username/password",
    "buildah": "invalid username/password",
    "podman": "invalid username/password",
}

pytestmark = pytest.mark.parametrize("name", CLIENTS)


def signed_in(new_client: MakeClient, name: str, endpoint: Endpoint, key: str) -> Client:
    client = new_client(name, endpoint)
    client.login(USER, key).succeeded()
    return client


def test_image_arrives_as_it_was_pushed(
    name: str, endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    repository = f"{tenant.namespace}/app"
    reference = f"{endpoint.registry}/{repository}:1"
    signed_in(new_client, name, endpoint, tenant.api_key).push(image, reference).succeeded()
    stored = tenant.manifest(repository, "1")

    fresh = signed_in(new_client, name, endpoint, tenant.api_key)
    fresh.pull(reference).succeeded()

    assert fresh.pulled_digest(reference) == stored.digest


def test_image_is_pulled_by_digest(
    name: str, http_endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    repository = f"{tenant.namespace}/app"
    client = signed_in(new_client, name, http_endpoint, tenant.api_key)
    client.push(image, f"{http_endpoint.registry}/{repository}:1").succeeded()
    digest = tenant.manifest(repository, "1").digest

    reference = f"{http_endpoint.registry}/{repository}@{digest}"
    client.pull(reference).succeeded()

    assert client.pulled_digest(reference) == digest


def test_tag_moves_to_the_later_push(
    name: str,
    http_endpoint: Endpoint,
    new_client: MakeClient,
    tenant: Tenant,
    images: dict[str, Image],
) -> None:
    repository = f"{tenant.namespace}/app"
    reference = f"{http_endpoint.registry}/{repository}:latest"
    digests = []
    for image in images.values():
        client = signed_in(new_client, name, http_endpoint, tenant.api_key)
        client.push(image, reference).succeeded()
        digests.append(tenant.manifest(repository, "latest").digest)

    earlier, later = digests
    assert earlier != later
    assert tenant.manifest(repository, earlier).digest == earlier


def test_wrong_password_is_told(
    name: str, endpoint: Endpoint, new_client: MakeClient, tenant: Tenant
) -> None:
    client = new_client(name, endpoint)

    client.login(USER, f"{tenant.api_key}x").refused(WRONG_PASSWORD[name])


def test_push_without_sign_in_is_refused(
    name: str, http_endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app:1"

    new_client(name, http_endpoint).push(image, reference).refused(
        "unauthorized: authentication required"
    )


def test_pull_without_sign_in_is_refused(
    name: str, http_endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app:1"
    owner = signed_in(new_client, name, http_endpoint, tenant.api_key)
    owner.push(image, reference).succeeded()

    new_client(name, http_endpoint).pull(reference).refused("unauthorized: authentication required")


def test_other_tenant_cannot_push(
    name: str,
    http_endpoint: Endpoint,
    new_client: MakeClient,
    new_tenant: NewTenant,
    image: Image,
) -> None:
    owner, other = new_tenant(), new_tenant()
    reference = f"{http_endpoint.registry}/{owner.namespace}/app:1"
    intruder = signed_in(new_client, name, http_endpoint, other.api_key)

    intruder.push(image, reference).refused(DENIED)


def test_other_tenant_cannot_pull(
    name: str,
    http_endpoint: Endpoint,
    new_client: MakeClient,
    new_tenant: NewTenant,
    image: Image,
) -> None:
    owner, other = new_tenant(), new_tenant()
    reference = f"{http_endpoint.registry}/{owner.namespace}/app:1"
    signed_in(new_client, name, http_endpoint, owner.api_key).push(image, reference).succeeded()

    intruder = signed_in(new_client, name, http_endpoint, other.api_key)

    intruder.pull(reference).refused(DENIED)


def test_reader_pulls_but_cannot_push(
    name: str, http_endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app"
    owner = signed_in(new_client, name, http_endpoint, tenant.api_key)
    owner.push(image, f"{reference}:1").succeeded()
    key = tenant.service_key("reader", "Reader", tenant.namespace)
    reader = signed_in(new_client, name, http_endpoint, key)

    reader.pull(f"{reference}:1").succeeded()
    reader.push(image, f"{reference}:2").refused(DENIED)


def test_push_to_a_missing_namespace_tells_how_to_add_it(
    name: str, http_endpoint: Endpoint, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    missing = f"{tenant.namespace}x"
    client = signed_in(new_client, name, http_endpoint, tenant.api_key)

    refusal = client.push(image, f"{http_endpoint.registry}/{missing}/app:1")

    refusal.refused(missing, "namespace-add")
