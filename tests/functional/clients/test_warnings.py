"""Warnings in successful answers: an old credential, a quota nearly used up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.functional.clients.drivers import Endpoint, Skopeo
from tests.functional.clients.images import Image
from tests.support.images import CONFIG, LAYER, OCI
from tests.support.pushing import Repository, at_once, digest_of
from tests.support.server import Operator, Server, Tenant

MB = 1 << 20
SOON = {"WHARFINGER_CREDENTIAL_WARNING_SECONDS": "172800"}
"""Two days: a registry token of 24 hours is near its end from the first minute on."""


@pytest.fixture(scope="module")
def warning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("warning") / "data", settings=SOON) as server:
        yield server


@pytest.fixture(scope="module")
def tenant(warning: Server) -> Tenant:
    return Operator.of(warning).create_tenant("warned")


def bearer(tenant: Tenant, secret: str) -> dict[str, str]:
    scope = f"repository:{tenant.namespace}/app:pull,push"
    answer = tenant.http.get(
        "/oauth/token",
        params={"service": "registry", "scope": scope},
        auth=httpx.BasicAuth("token", secret),
    )
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['token']}"}


def test_a_registry_token_near_its_end_is_told_of(warning: Server, tenant: Tenant) -> None:
    with Repository.of(warning, tenant) as pushed:
        at_once(pushed, b"some").raise_for_status()
    url = f"/v2/{tenant.namespace}/app/tags/list"
    day = bearer(tenant, tenant.registry_secret(write=True))
    lasting = bearer(tenant, tenant.registry_secret(write=True, permanent=True))

    for path in ("/v2/", url):
        told = tenant.http.get(path, headers=day)
        assert told.status_code == 200
        (value,) = told.headers.get_list("Warning")
        assert value.startswith('299 - "')
        assert value.endswith('(WHF1001)"')
        assert "Warning" not in tenant.http.get(path, headers=lasting).headers


def test_skopeo_does_its_work_under_warnings(
    warning: Server, tenant: Tenant, image: Image, tmp_path: Path
) -> None:
    endpoint = Endpoint(warning.registry)
    skopeo = Skopeo(endpoint, tmp_path / "skopeo")
    skopeo.login("token", tenant.registry_secret(write=True)).succeeded()
    reference = f"{endpoint.registry}/{tenant.namespace}/skopeo:1"

    # Newer ones print the text; whichever is installed here must not stumble over it.
    skopeo.push(image, reference).succeeded()
    skopeo.pull(reference).succeeded()

    assert tenant.manifest(f"{tenant.namespace}/skopeo", "1").digest == image.digest


def test_a_quota_above_four_fifths_is_told_to_who_pushes(warning: Server) -> None:
    tenant = Operator.of(warning).create_tenant("nearly-full")
    tenant.set_quotas(storage=10)
    with Repository.of(warning, tenant) as repository:
        for size, warned in ((7 * MB, False), (2 * MB, True)):
            content = bytes([size // MB]) * size
            at_once(repository, content).raise_for_status()
            config = b"{}"
            at_once(repository, config).raise_for_status()
            answer = _manifest(repository, config, content)
            assert answer.status_code == 201
            told = " ".join(answer.headers.get_list("Warning"))
            assert ("WHF1003" in told) is warned


def _manifest(repository: Repository, config: bytes, layer: bytes) -> httpx.Response:
    def described(content: bytes, kind: str) -> dict[str, object]:
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}

    document = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": described(config, CONFIG),
        "layers": [described(layer, LAYER)],
    }
    return repository.http.put(
        f"/v2/{repository.name}/manifests/v{len(layer)}",
        content=json.dumps(document),
        headers={"Content-Type": OCI},
    )
