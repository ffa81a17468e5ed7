"""A tenant with an empty namespace, and what it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.images import Dock
from tests.support.server import Server, Tenant


@pytest.fixture
def dock(server: Server, tenant: Tenant) -> Iterator[Dock]:
    """The tenant's Manager at the registry."""
    made = Dock(server.api, tenant)
    yield made
    made.close()


@pytest.fixture
def repository(tenant: Tenant) -> str:
    return f"{tenant.namespace}/app"
