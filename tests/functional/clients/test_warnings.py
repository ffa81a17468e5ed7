"""Warnings of a registry token near its end; clients bear, and newer ones show, them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.functional.clients.drivers import Docker, Endpoint, Skopeo
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.functional.clients.oras import Oras
from tests.support.pushing import Repository, at_once
from tests.support.server import Operator, Server, Tenant

SOON = {
    "WHARFINGER_CREDENTIAL_WARNING_SECONDS": "172800",
    "WHARFINGER_QUOTA_REMEMBER_SECONDS": "0",
}
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


def test_oras_shows_them_and_does_its_work(warning: Server, tenant: Tenant, tmp_path: Path) -> None:
    oras = Oras(Endpoint(warning.registry), tmp_path / "oras")
    reference = f"{oras.endpoint.registry}/{tenant.namespace}/oras:1"
    lasting = tenant.registry_secret(write=True, permanent=True)
    oras.login("token", lasting).succeeded()
    (oras.home / "file").write_bytes(b"content")
    assert "WARNING" not in oras.push(reference, "file:text/plain").succeeded().output
    oras.login("token", tenant.registry_secret(write=True)).succeeded()

    for done in (oras.push(reference, "file:text/plain"), oras.pull(reference, "back")):
        told = done.succeeded().output
        assert "[WARNING]: The credential behind this sign-in ends in " in told
        assert "minutes (WHF1001)" in told

    assert (oras.home / "back" / "file").read_bytes() == b"content"


def test_docker_does_its_work_under_warnings(
    warning: Server, tenant: Tenant, image: Image, tmp_path: Path, docker_engine: DockerEngine
) -> None:
    docker = Docker(Endpoint(warning.registry), tmp_path / "docker", docker_engine)
    docker.login("token", tenant.registry_secret(write=True)).succeeded()
    reference = f"{docker.endpoint.registry}/{tenant.namespace}/docker:1"

    docker.push(image, reference).succeeded()
    docker.pull(reference).succeeded()


def test_oras_shows_that_the_quota_is_nearly_used(warning: Server, tmp_path: Path) -> None:
    tenant = Operator.of(warning).create_tenant("nearly")
    tenant.set_quotas(storage=1)
    oras = Oras(Endpoint(warning.registry), tmp_path / "oras")
    oras.login("token", tenant.registry_secret(write=True, permanent=True)).succeeded()
    (oras.home / "file").write_bytes(bytes(range(256)) * 3600)

    told = oras.push(f"{oras.endpoint.registry}/nearly/app:1", "file").succeeded().output

    assert "[WARNING]: 87 % of the storage quota is used" in told
    assert "(WHF1003)" in told
