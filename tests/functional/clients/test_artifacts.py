"""Artifacts and referrers through plain HTTP, as a client for signatures or reports uses them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.functional.clients.drivers import Skopeo
from tests.functional.clients.images import Image
from tests.support.server import Tenant

USER = "iamapikey"
IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = b"{}"
REPORT_TYPE = "application/vnd.wharfinger.test.report"


class Artifacts:
    """Pushes artifacts into one repository (OCI distribution 1.1, Pushing Manifests)."""

    def __init__(self, tenant: Tenant, repository: str) -> None:
        token = tenant.registry_token([f"repository:{repository}:pull,push"])
        self.http = tenant.http
        self.base = f"/v2/{repository}"
        self.headers = {"Authorization": f"Bearer {token}"}

    def push_blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Uploads in two requests and gives back the descriptor."""
        opened = self.http.post(f"{self.base}/blobs/uploads/", headers=self.headers)
        assert opened.status_code == 202, opened.text
        location = httpx.URL(opened.headers["Location"])
        target = location.copy_add_param("digest", digest(content))
        finished = self.http.put(target, content=content, headers=self.headers)
        assert finished.status_code == 201, finished.text
        return descriptor(content, media_type)

    def push(self, content: bytes, artifact_type: str, subject: dict[str, Any]) -> httpx.Response:
        """Pushes an artifact with one layer that refers to a subject."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": IMAGE_MANIFEST,
            "artifactType": artifact_type,
            "config": self.push_blob(EMPTY, "application/vnd.oci.empty.v1+json"),
            "layers": [self.push_blob(content, artifact_type)],
            "subject": subject,
        }
        body = json.dumps(manifest).encode()
        headers = {**self.headers, "Content-Type": IMAGE_MANIFEST}
        url = f"{self.base}/manifests/{digest(body)}"
        answer = self.http.put(url, content=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer

    def referrers(self, subject: str, artifact_type: str | None = None) -> httpx.Response:
        query = {"artifactType": artifact_type} if artifact_type else {}
        url = f"{self.base}/referrers/{subject}"
        return self.http.get(url, params=query, headers=self.headers)


@pytest.fixture
def repository(skopeo: Skopeo, tenant: Tenant, image: Image) -> str:
    """A repository that holds the image."""
    skopeo.login(USER, tenant.api_key).succeeded()
    skopeo.push(image, f"{skopeo.endpoint.registry}/{tenant.namespace}/app:1").succeeded()
    return f"{tenant.namespace}/app"


@pytest.fixture
def subject(tenant: Tenant, repository: str) -> dict[str, Any]:
    stored = tenant.manifest(repository, "1")
    return descriptor(stored.content, stored.media_type)


def test_artifact_is_found_by_its_subject(
    tenant: Tenant, repository: str, subject: dict[str, Any]
) -> None:
    artifacts = Artifacts(tenant, repository)

    pushed = artifacts.push(b"no findings", REPORT_TYPE, subject)

    assert pushed.headers["OCI-Subject"] == subject["digest"]
    listed = artifacts.referrers(subject["digest"])
    assert listed.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
    assert [each["artifactType"] for each in listed.json()["manifests"]] == [REPORT_TYPE]


def test_referrers_are_filtered_by_type(
    tenant: Tenant, repository: str, subject: dict[str, Any]
) -> None:
    artifacts = Artifacts(tenant, repository)
    artifacts.push(b"no findings", REPORT_TYPE, subject)
    artifacts.push(b"signed", f"{REPORT_TYPE}.signature", subject)

    listed = artifacts.referrers(subject["digest"], REPORT_TYPE)

    assert listed.headers["OCI-Filters-Applied"] == "artifactType"
    assert [each["artifactType"] for each in listed.json()["manifests"]] == [REPORT_TYPE]


def test_artifact_content_is_served_byte_for_byte(
    tenant: Tenant, repository: str, subject: dict[str, Any]
) -> None:
    artifacts = Artifacts(tenant, repository)
    content = bytes(range(256)) * 100
    artifacts.push(content, REPORT_TYPE, subject)

    url = f"{artifacts.base}/blobs/{digest(content)}"
    answer = artifacts.http.get(url, headers=artifacts.headers)

    assert answer.content == content
    assert answer.headers["Docker-Content-Digest"] == digest(content)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}
