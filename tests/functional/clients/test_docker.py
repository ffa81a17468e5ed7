"""What only the Docker command line does: manifest lists, imports, several tags, sign-out."""

from __future__ import annotations

import json

from tests.functional.clients.drivers import Docker, Endpoint
from tests.functional.clients.images import Image
from tests.support.server import Tenant

USER = "iamapikey"


def test_manifest_list_is_created_pushed_and_inspected(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, images: dict[str, Image]
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    repository = f"{tenant.namespace}/multi"
    reference = f"{http_endpoint.registry}/{repository}:1"
    parts = [f"{reference}-{architecture}" for architecture in images]
    for part, image in zip(parts, images.values(), strict=True):
        docker.push(image, part).succeeded()

    docker("manifest", "create", "--insecure", reference, *parts).succeeded()
    pushed = docker("manifest", "push", "--insecure", reference).succeeded()

    stored = tenant.manifest(repository, "1")
    assert stored.digest in pushed.output
    inspected = json.loads(docker("manifest", "inspect", "--insecure", reference).output)
    platforms = {entry["platform"]["architecture"] for entry in inspected["manifests"]}
    assert platforms == set(images)


def test_pull_of_a_manifest_list_brings_the_named_platform(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, images: dict[str, Image]
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    reference = f"{http_endpoint.registry}/{tenant.namespace}/multi:1"
    parts = [f"{reference}-{architecture}" for architecture in images]
    for part, image in zip(parts, images.values(), strict=True):
        docker.push(image, part).succeeded()
    docker("manifest", "create", "--insecure", reference, *parts).succeeded()
    docker("manifest", "push", "--insecure", reference).succeeded()
    docker.forget_images()

    docker("pull", "--platform", "linux/arm64", reference).succeeded()

    answer = docker("image", "inspect", "--format={{.Architecture}}", reference).succeeded()
    assert answer.output.strip() == "arm64"


def test_image_made_from_a_file_system_is_pushed_and_pulled(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, image: Image
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    reference = f"{http_endpoint.registry}/{tenant.namespace}/imported:1"
    docker("import", str(image.archive), reference).succeeded()
    before = docker("image", "inspect", "--format={{.Id}}", reference).succeeded().output
    docker("push", reference).succeeded()

    docker.pull(reference).succeeded()

    assert docker("image", "inspect", "--format={{.Id}}", reference).output == before


def test_all_tags_are_pushed_and_pulled(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, image: Image
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    repository = f"{http_endpoint.registry}/{tenant.namespace}/tags"
    docker("load", "--input", str(image.archive)).succeeded()
    for tag in ("1", "2", "latest"):
        docker("tag", image.loaded_name, f"{repository}:{tag}").succeeded()
    docker("push", "--all-tags", repository).succeeded()
    docker.forget_images()

    docker("pull", "--all-tags", repository).succeeded()

    listed = docker("images", "--format={{.Tag}}", repository).succeeded().output.split()
    assert sorted(listed) == ["1", "2", "latest"]


def test_layers_that_the_repository_has_are_not_sent_again(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, image: Image
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app"
    docker.push(image, f"{reference}:1").succeeded()

    docker.push(image, f"{reference}:2").succeeded()

    assert "Layer already exists" in docker("push", f"{reference}:2").succeeded().output


def test_sign_out_ends_access(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, image: Image
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app:1"
    docker.push(image, reference).succeeded()

    docker("logout", http_endpoint.registry).succeeded()

    docker.pull(reference).refused("unauthorized: authentication required")


def test_tag_that_does_not_exist_is_named(
    docker: Docker, http_endpoint: Endpoint, tenant: Tenant, image: Image
) -> None:
    docker.login(USER, tenant.api_key).succeeded()
    reference = f"{http_endpoint.registry}/{tenant.namespace}/app"
    docker.push(image, f"{reference}:1").succeeded()

    docker.pull(f"{reference}:nothing").refused("manifest", "not found")
