from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import sqlite_database
from tests.support.registry_manifests import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with sqlite_database(tmp_path) as database:
        yield House(database)
