from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import DATABASES
from tests.support.registry_manifests import House


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with DATABASES[request.param](tmp_path) as database:
        yield House(database)
