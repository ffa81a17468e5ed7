"""A server of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may end as it likes."""
    settings = {"WHARFINGER_DRAIN_SECONDS": "0", "WHARFINGER_SHUTDOWN_SECONDS": "20"}
    with Server(tmp_path / "data", settings=settings) as running:
        yield running
