from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import fresh_database
from tests.support.quotas import Depot

Furnish = Callable[..., Depot]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database a deployment keeps its records in."""
    return str(request.param)


@pytest.fixture
def furnish(database: str, tmp_path: Path) -> Iterator[Furnish]:
    """Makes deployments with settings, each over a database of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Depot:
            if database == "postgresql":
                settings["database_url"] = stack.enter_context(fresh_database())
            made = Depot(tmp_path, settings)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def depot(furnish: Furnish) -> Depot:
    return furnish()
