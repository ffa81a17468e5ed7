"""A server of several workers that logs every request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Operator, Server, Tenant

WORKERS = 3


@pytest.fixture(scope="package")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "WHARFINGER_WORKERS": str(WORKERS),
        "WHARFINGER_ACCESS_LOG": "all",
        "WHARFINGER_LOG_LEVEL": "debug",
        "WHARFINGER_LOG_FORMAT": "json",
    }
    data = tmp_path_factory.mktemp("watched") / "data"
    with Server(data, settings=settings) as running:
        yield running


@pytest.fixture(scope="package")
def guest(watched: Server) -> Iterator[Tenant]:
    tenant = Operator.of(watched).create_tenant("observed")
    yield tenant
    tenant.close()
