from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.unit.registry_uploads.surface import House
from tests.unit.registry_uploads.yard import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path)
    yield yard
    yard.database.close()


@pytest.fixture
def house(yard: Yard) -> Iterator[House]:
    house = House(yard, upload_chunk_min_bytes=3)
    yield house
    house.threads.close()


@pytest.fixture
def client(house: House) -> TestClient:
    return house.client
