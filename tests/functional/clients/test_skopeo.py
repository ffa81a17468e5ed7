"""What only skopeo does: deleting, listing tags, copying whole indexes, tokens given by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.functional.clients.commands import run
from tests.functional.clients.drivers import Endpoint, Skopeo
from tests.functional.clients.images import Image, storage_options
from tests.support.server import Operator, Server, Tenant
from tests.support.tools import ensure

USER = "iamapikey"
EXPIRY_SECONDS = 30.0


@pytest.fixture
def reference(skopeo: Skopeo, http_endpoint: Endpoint, tenant: Tenant) -> str:
    """A repository that the signed-in client may write."""
    skopeo.login(USER, tenant.api_key).succeeded()
    return f"{http_endpoint.registry}/{tenant.namespace}/app"


def test_pushed_digest_is_that_of_the_layout(
    skopeo: Skopeo, reference: str, tenant: Tenant, image: Image
) -> None:
    skopeo.push(image, f"{reference}:1").succeeded()

    assert tenant.manifest(f"{tenant.namespace}/app", "1").digest == image.digest


def test_inspect_shows_the_served_digest(skopeo: Skopeo, reference: str, image: Image) -> None:
    skopeo.push(image, f"{reference}:1").succeeded()

    shown = skopeo.inspect(f"{reference}:1", "--format={{.Digest}}").succeeded()

    assert shown.output.strip() == image.digest


def test_tags_are_listed(skopeo: Skopeo, reference: str, image: Image) -> None:
    for tag in ("b", "a", "c"):
        skopeo.push(image, f"{reference}:{tag}").succeeded()

    assert json.loads(skopeo.tags(reference).succeeded().output)["Tags"] == ["a", "b", "c"]


def test_deleted_image_is_gone(skopeo: Skopeo, reference: str, image: Image) -> None:
    skopeo.push(image, f"{reference}:1").succeeded()

    skopeo.delete(f"{reference}:1").succeeded()

    skopeo.pull(f"{reference}:1").refused("manifest unknown")
    assert not json.loads(skopeo.tags(reference).output or "{}").get("Tags")


def test_deleted_image_can_be_pushed_again(skopeo: Skopeo, reference: str, image: Image) -> None:
    skopeo.push(image, f"{reference}:1").succeeded()
    skopeo.delete(f"{reference}:1").succeeded()

    skopeo.push(image, f"{reference}:1").succeeded()
    skopeo.pull(f"{reference}:1").succeeded()

    assert skopeo.pulled_digest(f"{reference}:1") == image.digest


def test_reader_cannot_delete(
    skopeo: Skopeo, reference: str, tenant: Tenant, image: Image, http_endpoint: Endpoint
) -> None:
    skopeo.push(image, f"{reference}:1").succeeded()
    reader = Skopeo(http_endpoint, skopeo.home / "reader")
    reader.login(USER, tenant.service_key("reader", "Reader", tenant.namespace)).succeeded()

    reader.delete(f"{reference}:1").refused("denied")

    assert tenant.manifest(f"{tenant.namespace}/app", "1").digest == image.digest


def test_index_is_copied_whole(
    skopeo: Skopeo, reference: str, tenant: Tenant, images: dict[str, Image]
) -> None:
    layout = index_layout(skopeo.home / "index", images)
    skopeo.push_all(f"oci:{layout}:multi", f"{reference}:1").succeeded()

    raw = json.loads(skopeo.inspect_raw(f"{reference}:1").succeeded().output)

    stored = tenant.manifest(f"{tenant.namespace}/app", "1")
    assert raw == stored.document
    assert [entry["digest"] for entry in raw["manifests"]] == [i.digest for i in images.values()]


def test_expired_token_is_refused_and_sign_in_recovers(tmp_path: Path, image: Image) -> None:
    settings = {"WHARFINGER_REGISTRY_TOKEN_SECONDS": "1"}
    with Server(tmp_path / "data", settings=settings) as server:
        tenant = Operator.of(server).create_tenant("expiring")
        skopeo = Skopeo(Endpoint(server.registry), tmp_path / "skopeo")
        skopeo.login(USER, tenant.api_key).succeeded()
        reference = f"{server.registry}/{tenant.namespace}/app:1"
        skopeo.push(image, reference).succeeded()
        token = tenant.registry_token([f"repository:{tenant.namespace}/app:pull"])
        wait_until_expired(tenant.http, f"/v2/{tenant.namespace}/app/manifests/1", token)

        skopeo.inspect(reference, f"--registry-token={token}").refused("unauthorized")
        skopeo.inspect(reference).succeeded()
        tenant.close()


def index_layout(folder: Path, images: dict[str, Image]) -> Path:
    """An OCI layout with one index over the images, made by buildah."""
    folder.mkdir(parents=True)
    buildah = storage_options(ensure("buildah"), folder)
    run([*buildah, "manifest", "create", "multi"], home=folder).succeeded()
    for image in images.values():
        run([*buildah, "manifest", "add", "multi", image.oci], home=folder).succeeded()
    layout = folder / "layout"
    push = [*buildah, "manifest", "push", "--all", "multi", f"oci:{layout}:multi"]
    run(push, home=folder).succeeded()
    return layout


def wait_until_expired(http: httpx.Client, path: str, token: str) -> None:
    """Asks until the registry says that the token has expired (RFC 6750, section 3.1)."""
    deadline = time.monotonic() + EXPIRY_SECONDS
    while time.monotonic() < deadline:
        answer = http.get(path, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            return
        assert answer.status_code == 200, answer.text
        time.sleep(0.1)
    raise AssertionError(f"the token was still taken after {EXPIRY_SECONDS:.0f} s")
