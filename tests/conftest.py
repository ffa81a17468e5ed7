"""Fixtures that every kind of test shares: a running server and tenants on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.support.s3 import S3Server
from tests.support.server import Operator, Server, Tenant

NewTenant = Callable[[], Tenant]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over plain HTTP and TLS, with the settings it has by default."""
    with Server(tmp_path_factory.mktemp("server") / "data", tls=True) as running:
        yield running


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, whose keys this process has in its environment while the tests run."""
    with (
        S3Server(tmp_path_factory.mktemp("s3")) as running,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in running.environment.items():
            environment.setenv(name, value)
        yield running


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
