from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import DATABASES
from tests.support.depot import Depot
from wharfinger.blobstore.filesystem import FilesystemStore


@pytest.fixture(params=DATABASES)
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    with DATABASES[request.param](tmp_path) as database:
        yield Depot(database, FilesystemStore(tmp_path / "blobs"))
