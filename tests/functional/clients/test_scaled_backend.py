"""Image clients against PostgreSQL and an object store, also while PostgreSQL restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.functional.clients.conftest import MakeClient
from tests.functional.clients.drivers import CLIENTS, Client, Endpoint
from tests.functional.clients.images import Image
from tests.support.backends import Backends, every_backend
from tests.support.postgres import shared_cluster
from tests.support.server import Operator, Server, Tenant

USER = "iamapikey"
PUSHES = 4
PUSHING_SECONDS = 8.0
AWAY_SECONDS = 1.0

RETRYING = ("docker", "skopeo")
"""Those that are driven through restarts of the database."""


def signed_in(new_client: MakeClient, name: str, endpoint: Endpoint, key: str) -> Client:
    client = new_client(name, endpoint)
    client.login(USER, key).succeeded()
    return client


@every_backend
@pytest.mark.parametrize("name", CLIENTS)
def test_image_arrives_as_it_was_pushed(
    server: Server, name: str, new_client: MakeClient, tenant: Tenant, image: Image
) -> None:
    endpoint = Endpoint(server.registry)
    reference = f"{endpoint.registry}/{tenant.namespace}/app:1"
    client = signed_in(new_client, name, endpoint, tenant.api_key)
    client.push(image, reference).succeeded()
    stored = tenant.manifest(f"{tenant.namespace}/app", "1")

    client.pull(reference).succeeded()

    assert client.pulled_digest(reference) == stored.digest


@pytest.fixture(scope="module")
def restarting(tmp_path_factory: pytest.TempPathFactory, backends: Backends) -> Iterator[Server]:
    """A server whose database a test may stop; two workers, as in a deployment."""
    with backends("scaled") as settings:
        more = {**settings, "WHARFINGER_WORKERS": "2"}
        data = tmp_path_factory.mktemp("restarting") / "data"
        with Server(data, settings=more) as server:
            yield server


def restart_meanwhile(client: Callable[[], None]) -> int:
    """Stop and start the database until ``client`` is done; return how often.

    In this thread, because the database ends with the thread that started it.
    """
    cluster, times = shared_cluster(), 0
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(client)
        while not working.done():
            cluster.stop("fast")
            time.sleep(AWAY_SECONDS)  # how long it is away, not something to wait for
            cluster.start()
            times += 1
            wait([working], timeout=AWAY_SECONDS)
    working.result()
    return times


@pytest.mark.parametrize("name", RETRYING)
def test_pushes_succeed_while_the_database_restarts(
    restarting: Server, name: str, new_client: MakeClient, images: dict[str, Image]
) -> None:
    """Without a retry of ours: the service waits, and the client's own retries do the rest."""
    tenant = Operator.of(restarting).create_tenant(f"restarts-{name}")
    endpoint = Endpoint(restarting.registry)
    client = signed_in(new_client, name, endpoint, tenant.api_key)
    begun = time.monotonic()
    pushed: dict[str, str] = {}

    def push() -> None:
        while len(pushed) < PUSHES or time.monotonic() < begun + PUSHING_SECONDS:
            repository = f"{tenant.namespace}/app{len(pushed)}"
            image = list(images.values())[len(pushed) % len(images)]
            client.push(image, f"{endpoint.registry}/{repository}:1").succeeded()
            pushed[repository] = image.digest

    assert restart_meanwhile(push) >= 2

    for repository, digest in pushed.items():
        # docker writes a manifest of its own.
        assert tenant.manifest(repository, "1").digest == digest or name == "docker"


def test_a_pull_waits_for_the_database(
    restarting: Server, new_client: MakeClient, image: Image
) -> None:
    tenant = Operator.of(restarting).create_tenant("waits")
    endpoint = Endpoint(restarting.registry)
    client = signed_in(new_client, "skopeo", endpoint, tenant.api_key)
    reference = f"{endpoint.registry}/{tenant.namespace}/app:1"
    client.push(image, reference).succeeded()

    cluster = shared_cluster()
    cluster.stop("fast")
    with ThreadPoolExecutor(1) as pool:
        pulling = pool.submit(client.pull, reference)
        wait([pulling], timeout=AWAY_SECONDS)
        cluster.start()
        pulling.result().succeeded()

    assert client.pulled_digest(reference) == image.digest
