"""What the client tests share: images, an engine, endpoints and clients."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.clients.drivers import Client, Docker, Endpoint, Skopeo, make_client
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import ARCHITECTURES, Image, build_image
from tests.support.server import Server

MakeClient = Callable[[str, Endpoint], Client]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """One small image a platform."""
    folder = tmp_path_factory.mktemp("images")
    return {name: build_image(folder / name, name) for name in ARCHITECTURES}


@pytest.fixture(scope="session")
def image(images: dict[str, Image]) -> Image:
    return images["amd64"]


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with DockerEngine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="session")
def http_endpoint(server: Server) -> Endpoint:
    return Endpoint(server.registry)


@pytest.fixture(scope="session")
def tls_endpoint(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    certificates = tmp_path_factory.mktemp("certificates")
    shutil.copy(server.ca, certificates / "ca.crt")
    return Endpoint(server.tls_registry, certificates)


@pytest.fixture(params=["http", "tls"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """The registry over plain HTTP, then over TLS with the service's own authority."""
    chosen: Endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    return chosen


@pytest.fixture
def new_client(request: pytest.FixtureRequest, tmp_path: Path) -> MakeClient:
    """Makes clients that know nothing: no sign-in, no image."""
    made = 0

    def make(name: str, endpoint: Endpoint) -> Client:
        nonlocal made
        made += 1
        engine = request.getfixturevalue("docker_engine") if name == "docker" else None
        if engine and endpoint.certificates:
            engine.trust(endpoint.registry, endpoint.certificates / "ca.crt")
        return make_client(name, endpoint, tmp_path / f"{name}-{made}", engine)

    return make


@pytest.fixture
def skopeo(http_endpoint: Endpoint, tmp_path: Path) -> Skopeo:
    return Skopeo(http_endpoint, tmp_path / "skopeo")


@pytest.fixture
def docker(http_endpoint: Endpoint, tmp_path: Path, docker_engine: DockerEngine) -> Docker:
    return Docker(http_endpoint, tmp_path / "docker", docker_engine)
