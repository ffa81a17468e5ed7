"""Docker shows literally why a push or pull was refused, and the documented cure helps."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.clients.drivers import Docker, Endpoint
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.support.server import Operator, Server, Tenant

USER = "iamapikey"
STORAGE = (
    "denied: You have exceeded your storage quota. Delete one or more images, or review your "
    "storage quota and pricing plan"
)
TRAFFIC = (
    "You have exceeded your pull traffic quota for the current month. Review your pull traffic "
    "quota and pricing plan"
)
DENIED = "denied: requested access to the resource is denied"
TINY = '[{"name": "tiny", "storage_megabytes": 1, "traffic_megabytes": 3}]'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a plan that one image fills."""
    settings = {"WHARFINGER_PLANS": TINY, "WHARFINGER_QUOTA_REMEMBER_SECONDS": "0"}
    with Server(tmp_path_factory.mktemp("shop") / "data", settings=settings) as server:
        yield server


@pytest.fixture
def customer(shop: Server) -> Iterator[Tenant]:
    """An account on the tiny plan."""
    operator = Operator.of(shop)
    tenant = operator.create_tenant(f"t{uuid.uuid4().hex[:12]}", "tiny")
    operator.close()
    yield tenant
    tenant.close()


@pytest.fixture
def docker(shop: Server, customer: Tenant, tmp_path: Path, docker_engine: DockerEngine) -> Docker:
    client = Docker(Endpoint(shop.registry), tmp_path / "docker", docker_engine)
    client.login(USER, customer.api_key).succeeded()
    return client


def reference(docker: Docker, tenant: Tenant, tag: str) -> str:
    return f"{docker.endpoint.registry}/{tenant.namespace}/app:{tag}"


def fill(docker: Docker, tenant: Tenant, image: Image) -> str:
    """Push images until the storage quota is reached; the digest of the last one."""
    docker.push(image, reference(docker, tenant, "1")).succeeded()
    quotas = tenant.quotas()
    if quotas["usage"]["storage_bytes"] < quotas["limit"]["storage_bytes"]:
        tenant.set_quotas(storage=0)
    return tenant.manifest(f"{tenant.namespace}/app", "1").digest


def delete(tenant: Tenant, digest: str) -> None:
    repository = f"{tenant.namespace}/app"
    token = tenant.registry_token([f"repository:{repository}:delete"])
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/v2/{repository}/manifests/{digest}"
    tenant.http.delete(path, headers=headers).raise_for_status()


def test_push_beyond_the_storage_quota_and_deleting_an_image(
    docker: Docker, customer: Tenant, images: dict[str, Image]
) -> None:
    first, second = images.values()
    digest = fill(docker, customer, first)

    docker.push(second, reference(docker, customer, "2")).refused(STORAGE)

    delete(customer, digest)
    customer.set_quotas(storage=1)
    docker.push(second, reference(docker, customer, "2")).succeeded()


def test_push_beyond_the_storage_quota_and_upgrading_the_plan(
    docker: Docker, customer: Tenant, images: dict[str, Image]
) -> None:
    first, second = images.values()
    docker.push(first, reference(docker, customer, "1")).succeeded()
    customer.set_quotas(storage=0)
    docker.push(second, reference(docker, customer, "2")).refused(STORAGE)

    customer.upgrade_plan("standard")
    customer.set_quotas(storage=600)

    docker.push(second, reference(docker, customer, "2")).succeeded()


def test_pull_beyond_the_traffic_quota_and_raising_it(
    docker: Docker, customer: Tenant, image: Image
) -> None:
    docker.push(image, reference(docker, customer, "1")).succeeded()
    customer.set_quotas(traffic=0)

    docker.pull(reference(docker, customer, "1")).refused(TRAFFIC)

    customer.set_quotas(traffic=3)
    docker.pull(reference(docker, customer, "1")).succeeded()
    assert customer.quotas()["usage"]["traffic_bytes"] > 0


def test_pull_beyond_the_traffic_quota_and_upgrading_the_plan(
    docker: Docker, customer: Tenant, image: Image
) -> None:
    """The lenient limit lets through what began below it, and then no more."""
    docker.push(image, reference(docker, customer, "1")).succeeded()
    while docker.pull(reference(docker, customer, "1")).ok:
        continue
    docker.pull(reference(docker, customer, "1")).refused(TRAFFIC)

    customer.upgrade_plan("Standard")

    docker.pull(reference(docker, customer, "1")).succeeded()


def test_read_only_token_pulls_but_cannot_push(
    docker: Docker, customer: Tenant, image: Image
) -> None:
    docker.push(image, reference(docker, customer, "1")).succeeded()
    docker.login("token", customer.registry_secret()).succeeded()

    docker.pull(reference(docker, customer, "1")).succeeded()
    docker.push(image, reference(docker, customer, "2")).refused(DENIED)


def test_token_for_writing_pushes_until_it_is_removed(
    docker: Docker, customer: Tenant, image: Image
) -> None:
    secret = customer.registry_secret(write=True, permanent=True)
    docker.login("token", secret).succeeded()
    docker.push(image, reference(docker, customer, "1")).succeeded()

    customer.remove_registry_secret(secret)

    docker.push(image, reference(docker, customer, "2")).refused("unauthorized")
    docker.login("token", secret).refused("unauthorized")
    again = customer.registry_secret(write=True)
    docker.login("token", again).succeeded()
    docker.push(image, reference(docker, customer, "2")).succeeded()
