"""Fixtures that every kind of test shares: a running server and tenants on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from tests.support.backends import (
    LINKLESS,
    SHARED_FOLDER,
    Backends,
    Settings,
    embedded,
    linkless,
    scaled,
    shared_folder,
)
from tests.support.s3 import S3Server, shared_s3
from tests.support.server import Operator, Server, Tenant

NewTenant = Callable[[], Tenant]


@pytest.fixture(scope="session")
def backends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backends:
    """Returns the settings of a fresh backend; its servers start when one is asked for."""

    def of(name: str) -> AbstractContextManager[Settings]:
        if name == LINKLESS:
            return linkless(tmp_path_factory.mktemp(name) / "disk")
        if name == SHARED_FOLDER:
            return shared_folder()
        return embedded() if name == "embedded" else scaled(request.getfixturevalue("s3"))

    return of


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory, backends: Backends
) -> Iterator[Callable[[str], Server]]:
    """Returns the running server of a backend, over plain HTTP and TLS, with default settings."""
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def of(backend: str) -> Server:
            if backend not in running:
                data = tmp_path_factory.mktemp(backend) / "data"
                settings = stack.enter_context(backends(backend))
                running[backend] = stack.enter_context(Server(data, tls=True, settings=settings))
            return running[backend]

        yield of


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """The embedded server; tests marked `every_backend` get each."""
    return servers(getattr(request, "param", "embedded"))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 server, whose keys this process has in its environment while the tests run."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in shared_s3().environment.items():
            environment.setenv(name, value)
        yield shared_s3()


@pytest.fixture
def new_tenant(server: Server) -> Iterator[NewTenant]:
    """Makes accounts that share nothing with any other test."""
    operator = Operator.of(server)
    made: list[Tenant] = []

    def make() -> Tenant:
        made.append(operator.create_tenant(f"t{uuid.uuid4().hex[:12]}"))
        return made[-1]

    yield make
    for each in (operator, *made):
        each.close()


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()
