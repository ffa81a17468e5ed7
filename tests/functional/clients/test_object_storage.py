"""Clients against blobs in a bucket, served by the registry or fetched straight from the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.clients.conftest import MakeClient
from tests.functional.clients.drivers import Endpoint
from tests.functional.clients.images import Image
from tests.support.faults import FaultProxy
from tests.support.s3 import S3Server
from tests.support.server import Operator, Server

USER = "iamapikey"


@pytest.fixture(scope="module")
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    """Passes everything on; tells who asked the store for what."""
    with FaultProxy(s3.port) as running:
        yield running


@pytest.fixture(scope="module", params=["served", "redirected"])
def stored(
    request: pytest.FixtureRequest,
    s3: S3Server,
    proxy: FaultProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, bool]]:
    redirected = request.param == "redirected"
    settings = {
        **s3.environment,
        "WHARFINGER_BLOBS_URL": s3.blobs_url(endpoint=proxy.endpoint),
        "WHARFINGER_BLOBS_REDIRECT": str(redirected).lower(),
    }
    with Server(tmp_path_factory.mktemp("bucket") / "data", settings=settings) as server:
        yield server, redirected


@pytest.mark.parametrize("name", ["skopeo", "docker", "podman"])
def test_images_come_back_as_they_were_pushed(
    stored: tuple[Server, bool],
    proxy: FaultProxy,
    new_client: MakeClient,
    image: Image,
    name: str,
) -> None:
    server, redirected = stored
    operator = Operator.of(server)
    tenant = operator.create_tenant(name)
    client = new_client(name, Endpoint(server.registry))
    client.login(USER, tenant.api_key).succeeded()
    reference = f"{server.registry}/{tenant.namespace}/app:1"
    client.push(image, reference).succeeded()
    digest = tenant.manifest(f"{tenant.namespace}/app", "1").digest
    other = new_client(name, Endpoint(server.registry))
    other.login(USER, tenant.api_key).succeeded()
    proxy.clear()

    other.pull(reference).succeeded()

    assert other.pulled_digest(reference) == digest
    fetched = [one for one in proxy.seen if one.method == "GET"]
    assert fetched
    signed = [one for one in fetched if "X-Amz-Signature" in one.target]
    assert bool(signed) is redirected
    if redirected:
        # Of what clients are sent to the service itself asks for a byte only, whether it is there.
        looked = [one for one in fetched if one not in signed]
        assert {one.headers.get("range") for one in looked} == {"bytes=0-0"}
    # The store is told nothing of the registry's credentials.
    assert not any("Bearer" in one.headers.get("authorization", "") for one in proxy.seen)
    for identity in (tenant, operator):
        identity.close()
