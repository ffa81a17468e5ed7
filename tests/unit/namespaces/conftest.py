from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.namespaces.harbour import Harbour


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    harbour = Harbour(tmp_path)
    yield harbour
    harbour.close()
