"""The oras client: files as artifacts, reports attached to images, copies between repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.clients.drivers import Endpoint, Skopeo
from tests.functional.clients.images import Image
from tests.functional.clients.oras import Oras
from tests.support.backends import every_backend
from tests.support.server import Tenant

USER = "iamapikey"
REPORT = "application/vnd.example.report"
BILL = "application/vnd.example.bill"


@pytest.fixture
def oras(endpoint: Endpoint, tenant: Tenant, tmp_path: Path) -> Oras:
    client = Oras(endpoint, tmp_path / "oras")
    client.login(USER, tenant.api_key).succeeded()
    return client


@pytest.fixture
def repository(oras: Oras, tenant: Tenant) -> str:
    return f"{oras.endpoint.registry}/{tenant.namespace}/artifacts"


def write(oras: Oras, name: str, content: bytes) -> str:
    """Write a file to push; return how the command names it."""
    (oras.home / name).write_bytes(content)
    return f"{name}:application/octet-stream"


@every_backend
def test_files_come_back_as_they_were_pushed(oras: Oras, repository: str) -> None:
    contents = {"one.bin": bytes(range(256)) * 400, "two.txt": b"second", "empty": b""}
    files = [write(oras, name, content) for name, content in contents.items()]
    oras.push(f"{repository}:v1", *files).succeeded()

    oras.pull(f"{repository}:v1", "back").succeeded()

    found = {path.name: path.read_bytes() for path in (oras.home / "back").iterdir()}
    assert found == contents
    assert oras("repo", "tags", repository).succeeded().output.split() == ["v1"]
    oras("tag", f"{repository}:v1", "v2").succeeded()
    assert oras("repo", "tags", repository).succeeded().output.split() == ["v1", "v2"]


@every_backend
def test_what_is_attached_to_an_image_is_discovered_and_goes(
    oras: Oras, repository: str, tenant: Tenant, image: Image, tmp_path: Path
) -> None:
    skopeo = Skopeo(oras.endpoint, tmp_path / "skopeo")
    skopeo.login(USER, tenant.api_key).succeeded()
    skopeo.push(image, f"{repository}:app").succeeded()
    assert oras.referrers(f"{repository}:app") == []
    report, bill = write(oras, "report", b"no findings"), write(oras, "bill", b"of materials")

    oras.attach(f"{repository}:app", REPORT, report).succeeded()
    oras.attach(f"{repository}:app", BILL, bill).succeeded()

    found = oras.referrers(f"{repository}:app")
    assert sorted(one["artifactType"] for one in found) == [BILL, REPORT]
    (only,) = oras.referrers(f"{repository}:app", REPORT)
    oras.pull(f"{repository}@{only['digest']}", "attached").succeeded()
    assert (oras.home / "attached" / "report").read_bytes() == b"no findings"
    # The fallback tag is for registries that know no referrers: here there is none.
    assert oras("repo", "tags", repository).succeeded().output.split() == ["app"]
    oras("manifest", "delete", "--force", f"{repository}@{only['digest']}").succeeded()
    assert [one["artifactType"] for one in oras.referrers(f"{repository}:app")] == [BILL]


@every_backend
def test_an_artifact_is_copied_with_what_is_attached(
    oras: Oras, repository: str, tenant: Tenant
) -> None:
    oras.push(f"{repository}:v1", write(oras, "data", b"data")).succeeded()
    oras.attach(f"{repository}:v1", REPORT, write(oras, "report", b"fine")).succeeded()
    target = f"{oras.endpoint.registry}/{tenant.namespace}/copies"

    oras.copy(f"{repository}:v1", f"{target}:v1").succeeded()

    assert [one["artifactType"] for one in oras.referrers(f"{target}:v1")] == [REPORT]
