"""Several workers of one service without anything beside it: who runs where, and who sees what."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.support.backends import NAMES, Backends
from tests.support.figures import Figures, scrape_until
from tests.support.processes import children
from tests.support.server import Operator, Server, Tenant

MANIFEST = "application/vnd.oci.image.index.v1+json"
MOVES = 40
READERS = 12
"""Connections of their own, so that every worker has some."""

BASE = "/v2/seen/app"


@pytest.fixture(scope="module", params=NAMES)
def tenant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backends: Backends
) -> Iterator[Tenant]:
    data = tmp_path_factory.mktemp("workers") / "data"
    with backends(request.param) as settings:
        own = {**settings, "WHARFINGER_WORKERS": "3"}
        with Server(data, settings=own) as server:
            yield Operator.of(server).create_tenant("seen")


@pytest.fixture
def readers(tenant: Tenant) -> Iterator[list[httpx.Client]]:
    token = tenant.registry_token(["repository:seen/app:pull,push,delete"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": MANIFEST}
    made = [
        httpx.Client(base_url=str(tenant.http.base_url), headers=headers, timeout=60)
        for _ in range(READERS)
    ]
    yield made
    for each in made:
        each.close()


def index(number: int) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "manifests": []}
    return json.dumps({**document, "annotations": {"number": str(number)}}).encode()


def test_a_moved_tag_is_seen_at_once_by_every_worker(readers: list[httpx.Client]) -> None:
    for number in range(MOVES):
        content = index(number)
        readers[number % READERS].put(f"{BASE}/manifests/v1", content=content).raise_for_status()
        for reader in readers:
            assert reader.get(f"{BASE}/manifests/v1").content == content
            head = reader.head(f"{BASE}/manifests/v1").headers["Docker-Content-Digest"]
            assert head == f"sha256:{sha256(content).hexdigest()}"


def test_a_deleted_manifest_is_gone_at_once_for_every_worker(readers: list[httpx.Client]) -> None:
    for number in range(MOVES):
        content = index(MOVES + number)
        path = f"{BASE}/manifests/sha256:{sha256(content).hexdigest()}"
        writer = readers[number % READERS]
        writer.put(path, content=content).raise_for_status()
        for reader in readers:
            assert reader.get(path).content == content
        writer.delete(path).raise_for_status()
        for reader in readers:
            assert reader.get(path).status_code == 404


def test_a_revoked_key_pulls_nothing_more_at_any_worker(
    tenant: Tenant, readers: list[httpx.Client]
) -> None:
    readers[0].put(f"{BASE}/manifests/v1", content=index(0)).raise_for_status()
    other = Tenant(str(tenant.http.base_url), tenant.account, tenant.service_key("ci", "Reader"))
    token = other.registry_token(["repository:seen/app:pull"])
    for reader in readers:
        reader.headers["Authorization"] = f"Bearer {token}"
        assert reader.get(f"{BASE}/manifests/v1").status_code == 200
    keys = "/identity/v1/apikeys"
    iam = {"Authorization": f"Bearer {other.iam_token()}", "Account": tenant.account}
    own = tenant.http.get(keys, headers=iam).raise_for_status().json()
    (key,) = (one["id"] for one in (own if isinstance(own, list) else own["apikeys"]))
    manager = {"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account}

    tenant.http.delete(f"{keys}/{key}", headers=manager).raise_for_status()

    for reader in readers:
        assert reader.get(f"{BASE}/manifests/v1").status_code == 401


def test_few_connections_are_spread_over_the_workers(tenant: Tenant) -> None:
    """However the kernel gives them out: each worker gets its share."""
    for _ in range(5):
        made = [httpx.Client(base_url=str(tenant.http.base_url)) for _ in range(6)]
        for client in made:
            assert client.get("/health/live").status_code == 200

        def even(figures: Figures) -> bool:
            found = [
                figures.total("wharfinger_http_connections", process=f"http-{worker}")
                for worker in range(3)
            ]
            return min(found) >= 2

        scrape_until(str(tenant.http.base_url), even, "connections spread evenly")
        for client in made:
            client.close()


def cores_of(process: int) -> list[frozenset[int]]:
    """Where each thread of a process may run."""
    threads = [int(thread.name) for thread in Path(f"/proc/{process}/task").iterdir()]
    return [frozenset(os.sched_getaffinity(thread)) for thread in threads]


@pytest.mark.parametrize("pinned", ["true", "false"])
def test_each_worker_stays_on_a_core_of_its_own_unless_told_otherwise(
    tmp_path: Path, pinned: str
) -> None:
    everywhere = frozenset(os.sched_getaffinity(0))
    own = {"WHARFINGER_WORKERS": "2", "WHARFINGER_PIN_WORKERS": pinned}
    with Server(tmp_path / "data", settings=own) as server:
        # The jobs process is forked last.
        *workers, jobs = children(server.pid)
        settled = [set(cores_of(worker)) for worker in workers]
        assert set(cores_of(jobs)) == {everywhere}

    assert len(settled) == 2
    if pinned == "true":
        assert [len(*cores) for cores in settled] == [1, 1]
        assert len(set().union(*settled)) == min(2, len(everywhere))
    else:
        assert settled == [{everywhere}, {everywhere}]
