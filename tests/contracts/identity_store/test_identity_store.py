"""The store over every database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.identity_store.suite import StoreSuite
from tests.support.databases import DATABASES
from wharfinger.audit.store import record
from wharfinger.identity.store import SqlStore


class TestSqlStore(StoreSuite):
    @pytest.fixture(params=DATABASES)
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
        with DATABASES[request.param](tmp_path) as database:
            yield SqlStore(database, record, lambda: 1000.0)
