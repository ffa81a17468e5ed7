"""Pushes small images and calls the control API about them, as one identity of a tenant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.server import Identity

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ALL = "pull,push,delete"
EPOCH = 1_500_000_000
"""Unix seconds at which the first of a row of images was made: 2017-07-14T02:40:00Z."""


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def config_of(created: str | None, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The config of an image as docker writes it."""
    inner = {"Env": ["PATH=/bin"], "Labels": dict(labels or {})}
    head = {"architecture": "amd64", "os": "linux", "config": inner}
    dated = {} if created is None else {"created": created}
    return {**head, **dated, "rootfs": {"type": "layers", "diff_ids": ["sha256:aa"]}}


@dataclass(frozen=True)
class Pushed:
    """An image that was pushed."""

    repository: str
    digest: str
    config: str
    size: int
    content: bytes

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": OCI, "digest": self.digest, "size": len(self.content)}


class Dock:
    """One identity at a registry: pushes, and calls the control API in its account."""

    def __init__(self, api: str, who: Identity, host: str = "") -> None:
        self.who = who
        self.host = host or httpx.URL(api).netloc.decode()
        self.http = httpx.Client(base_url=api, timeout=60)
        self._iam = ""

    def close(self) -> None:
        self.http.close()

    def ref(self, repository: str, reference: str) -> str:
        """The full name of a tag or digest, as the control API answers it."""
        return f"{self.host}/{repository}{'@' if ':' in reference else ':'}{reference}"

    def registry(
        self,
        method: str,
        path: str,
        repository: str,
        actions: str = ALL,
        **more: Any,
    ) -> httpx.Response:
        token = self.who.registry_token([f"repository:{repository}:{actions}"])
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        return self.http.request(method, f"/v2/{repository}/{path}", headers=headers, **more)

    def push_blob(self, repository: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        self.registry(
            "POST", "blobs/uploads/", repository, params={"digest": digest}, content=content
        ).raise_for_status()
        return {"digest": digest, "size": len(content)}

    def push_manifest(
        self, repository: str, document: Mapping[str, Any], *references: str
    ) -> tuple[str, bytes]:
        """Pushes by tag, or by digest where none is named; digest and bytes."""
        content = json.dumps(document).encode()
        digest = digest_of(content)
        for reference in references or (digest,):
            self.registry(
                "PUT",
                f"manifests/{reference}",
                repository,
                content=content,
                headers={"Content-Type": document["mediaType"]},
            ).raise_for_status()
        return digest, content

    def push(
        self,
        repository: str,
        *tags: str,
        created: str | None = "2018-08-01T12:00:00Z",
        labels: Mapping[str, str] | None = None,
        layers: Sequence[bytes] = (b"layer",),
        media_type: str = OCI,
        config: Mapping[str, Any] | None = None,
    ) -> Pushed:
        """Pushes an image; without tags by its digest."""
        content = json.dumps(config_of(created, labels) | dict(config or {})).encode()
        described = self.push_blob(repository, content) | {"mediaType": CONFIG}
        blobs = [self.push_blob(repository, layer) | {"mediaType": LAYER} for layer in layers]
        document = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": described,
            "layers": blobs,
        }
        digest, content = self.push_manifest(repository, document, *tags)
        size = sum(len(layer) for layer in layers)
        return Pushed(repository, digest, described["digest"], size, content)

    def push_index(self, repository: str, *tags: str, children: Sequence[Pushed]) -> Pushed:
        document = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [child.descriptor for child in children],
        }
        digest, content = self.push_manifest(repository, document, *tags)
        return Pushed(repository, digest, "", len(content), content)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A call of the control API; ``path`` behind ``/api/v1``."""
        self._iam = self._iam or self.who.iam_token()
        headers = {"Authorization": f"Bearer {self._iam}", "Account": self.who.account}
        return self.http.request(
            method, f"/api/v1{path}", headers=headers | more.pop("headers", {}), **more
        )

    def images(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.call("GET", "/images", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def tags(self, repository: str) -> list[str]:
        answer = self.registry("GET", "tags/list", repository)
        return list(answer.json().get("tags") or ()) if answer.status_code == 200 else []

    def pulls(self, repository: str, reference: str) -> int:
        """The status of pulling a manifest."""
        return self.registry("GET", f"manifests/{reference}", repository, "pull").status_code


def encoded(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def second(number: int) -> str:
    """The date of the image of this number in a row of images."""
    moment = datetime.fromtimestamp(EPOCH + number, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
