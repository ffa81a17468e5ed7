"""A server under attack: one tenant on it, an image that must stay pullable, and what to expect."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import httpx

from tests.support.rawhttp import Answer, exchange, request
from tests.support.server import Operator, Server, Tenant

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = sha256(b"{}").hexdigest()


class Target:
    """The server and its tenant; ``push_and_pull`` is what an honest client does."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self.server = server
        self.port = server.port
        self.tenant = tenant
        self.repository = f"{tenant.namespace}/app"
        self.control = [
            f"Authorization: Bearer {tenant.iam_token()}",
            f"Account: {tenant.account}",
        ]
        self.bearer = f"Authorization: Bearer {self.token()}"
        self.http = httpx.Client(base_url=server.api, timeout=30)

    def token(self) -> str:
        return self.tenant.registry_token([f"repository:{self.repository}:pull,push,delete"])

    def send(self, method: str, target: str | bytes, *headers: str, body: bytes = b"") -> Answer:
        return exchange(self.port, request(method, target, self.bearer, *headers, body=body))

    def upload(self) -> str:
        """The path of a new upload."""
        path = f"/v2/{self.repository}/blobs/uploads/"
        answer = self.http.post(path, headers={"Authorization": f"Bearer {self.token()}"})
        assert answer.status_code == 202, answer.text
        return httpx.URL(answer.headers["Location"]).path

    def push_and_pull(self) -> None:
        """What an honest client does, from the first byte to the last."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        path = self.upload()
        query = {"digest": f"sha256:{EMPTY}"}
        pushed = self.http.put(path, params=query, content=b"{}", headers=headers)
        assert pushed.status_code == 201, pushed.text
        config = {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": f"sha256:{EMPTY}",
            "size": 2,
        }
        content = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": "application/vnd.example",
                "config": config,
                "layers": [config],
                "annotations": {"id": uuid.uuid4().hex},
            }
        ).encode()
        place = f"/v2/{self.repository}/manifests/v1"
        put = self.http.put(place, content=content, headers=headers | {"Content-Type": MANIFEST})
        assert put.status_code == 201, put.text
        got = self.http.get(place, headers=headers | {"Accept": MANIFEST})
        assert (got.status_code, got.content) == (200, content)
        blob = self.http.get(f"/v2/{self.repository}/blobs/sha256:{EMPTY}", headers=headers)
        assert (blob.status_code, blob.content) == (200, b"{}")


@contextlib.contextmanager
def running_target(data: Path, settings: Mapping[str, str]) -> Iterator[Target]:
    with Server(data, settings=settings) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant(f"h{uuid.uuid4().hex[:8]}")
        target = Target(server, tenant)
        yield target
        for client in (target.http, tenant, operator):
            client.close()


def refused(answer: Answer, *statuses: int) -> dict[str, object]:
    """The error of an answer that must be a 4xx in our form, of one of ``statuses`` if given."""
    assert 400 <= answer.status < 500, answer
    assert not statuses or answer.status in statuses, answer
    error = answer.error
    assert error is not None, answer
    assert str(error["entry"]).startswith("WHF")
    assert answer.headers.get("x-request-id")
    return error


def turned_away(answer: Answer) -> None:
    """The parser refused it, in whatever form, or closed the connection; nothing went through."""
    assert answer.status == 0 or 400 <= answer.status < 500 or answer.status in {501, 505}, answer
