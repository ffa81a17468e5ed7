"""Pushes into a server that is killed at random moments: what it acknowledged, it has."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.support.backends import Backends
from tests.support.server import Operator, Server, Tenant

PUSHES = {"embedded": 50, "scaled": 12}
"""By backend: the second has a test of faults with many clients, too."""

LONGEST_LIFE = 0.12  # seconds; a whole push takes about half of it
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CHUNK = 200_000


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass
class Push:
    """One image, and how much of it the server said it has."""

    number: int
    blobs: list[bytes] = field(init=False)
    manifest: bytes = field(init=False)
    acknowledged: set[str] = field(default_factory=set)
    tagged: bool = False

    def __post_init__(self) -> None:
        source = random.Random(self.number)
        self.blobs = [source.randbytes(CHUNK + 1), source.randbytes(700)]
        layer, config = ({"digest": _digest(b), "size": len(b)} for b in self.blobs)
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config | {"mediaType": "application/vnd.oci.image.config.v1+json"},
                "layers": [layer | {"mediaType": "application/vnd.oci.image.layer.v1.tar"}],
            }
        ).encode()

    @property
    def tag(self) -> str:
        return f"v{self.number}"

    def run(self, client: Registry) -> None:
        """Push as docker does, until done or until the server is gone."""
        for blob in self.blobs:
            client.push_blob(blob)
            self.acknowledged.add(_digest(blob))
        client.put_manifest(self.tag, self.manifest)
        self.tagged = True


class Registry:
    """A plain client of one repository."""

    def __init__(self, server: Server, repository: str, token: str) -> None:
        self._base = f"/v2/{repository}"
        self.http = httpx.Client(
            base_url=server.api, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def push_blob(self, blob: bytes) -> None:
        """Stream a blob: POST, PATCH, PUT."""
        opened = self.http.post(f"{self._base}/blobs/uploads/").raise_for_status()
        sent = self.http.patch(opened.headers["Location"], content=blob).raise_for_status()
        query = {"digest": _digest(blob)}
        self.http.put(sent.headers["Location"], params=query).raise_for_status()

    def put_manifest(self, tag: str, manifest: bytes) -> None:
        path = f"{self._base}/manifests/{tag}"
        self.http.put(path, content=manifest, headers={"Content-Type": MANIFEST}).raise_for_status()

    def blob(self, digest: str) -> bytes | None:
        return self._content(f"{self._base}/blobs/{digest}")

    def manifest(self, tag: str) -> bytes | None:
        return self._content(f"{self._base}/manifests/{tag}")

    def _content(self, path: str) -> bytes | None:
        answer = self.http.get(path)
        return None if answer.status_code == 404 else answer.raise_for_status().content


def _push_into_a_crash(server: Server, client: Registry, push: Push, life: float) -> None:
    """Push while the server is killed ``life`` seconds after the push began."""

    def pushing() -> None:
        try:
            push.run(client)
        except httpx.TransportError:
            return  # the server died under it, which is what this is about

    pusher = threading.Thread(target=pushing)
    pusher.start()
    pusher.join(timeout=life)
    server.kill9()
    pusher.join()


def _require_whole(client: Registry, push: Push) -> None:
    """All that was acknowledged is there and intact; nothing partial is visible."""
    for blob in push.blobs:
        found = client.blob(_digest(blob))
        assert found in ({blob} if _digest(blob) in push.acknowledged else {blob, None})
    found = client.manifest(push.tag)
    assert found in ({push.manifest} if push.tagged else {push.manifest, None})
    if found is not None:
        assert [client.blob(_digest(blob)) for blob in push.blobs] == push.blobs


@pytest.fixture
def crashing(backend: str, tmp_path: Path, backends: Backends) -> Iterator[Server]:
    with backends(backend) as settings:
        more = {**settings, "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600"}
        with Server(tmp_path / "data", settings=more) as server:
            yield server


def _client(server: Server, tenant: Tenant, repository: str) -> Registry:
    return Registry(
        server, repository, tenant.registry_token([f"repository:{repository}:pull,push"])
    )


@pytest.mark.parametrize("backend", PUSHES)
def test_nothing_acknowledged_is_lost_and_nothing_partial_shows(
    crashing: Server, backend: str
) -> None:
    moments = random.Random(20181)
    pushes = [Push(number) for number in range(PUSHES[backend])]
    tenant = Operator.of(crashing).create_tenant("crash")
    repository = f"{tenant.namespace}/app"
    client = _client(crashing, tenant, repository)
    for push in pushes:
        _push_into_a_crash(crashing, client, push, moments.uniform(0, LONGEST_LIFE))
        crashing.restart()
        client = _client(crashing, tenant, repository)
        _require_whole(client, push)
        push.run(client)
        _require_whole(client, push)
    # Later crashes took nothing from earlier pushes.
    for push in pushes:
        _require_whole(client, push)
