"""Manifest lists as buildah and podman make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.clients.drivers import BuildahClient, Endpoint, Podman
from tests.functional.clients.images import Image
from tests.support.backends import every_backend
from tests.support.server import Tenant

USER = "iamapikey"
KINDS: dict[str, type[BuildahClient | Podman]] = {"buildah": BuildahClient, "podman": Podman}


@pytest.fixture(params=sorted(KINDS))
def client(
    request: pytest.FixtureRequest, endpoint: Endpoint, tenant: Tenant, tmp_path: Path
) -> BuildahClient | Podman:
    made = KINDS[request.param](endpoint, tmp_path / request.param)
    made.login(USER, tenant.api_key).succeeded()
    return made


@every_backend
def test_manifest_list_is_pushed_with_all_its_images(
    client: BuildahClient | Podman, tenant: Tenant, images: dict[str, Image]
) -> None:
    client.manifest("create", "multi").succeeded()
    for image in images.values():
        client.manifest("add", "multi", image.oci).succeeded()
    repository = f"{tenant.namespace}/multi"

    client.push_manifest_list("multi", f"{client.endpoint.registry}/{repository}:1").succeeded()

    index = tenant.manifest(repository, "1").document
    assert {entry["platform"]["architecture"] for entry in index["manifests"]} == set(images)
    for entry in index["manifests"]:
        assert tenant.manifest(repository, entry["digest"]).digest == entry["digest"]
