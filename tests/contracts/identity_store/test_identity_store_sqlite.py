"""The store over SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.identity_store.suite import StoreSuite
from wharfinger.audit.store import record
from wharfinger.database import migrate
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.identity.store import SqlStore


class TestSqlite(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        path = tmp_path / "test.db"
        migrate.upgrade(f"sqlite:///{path}")
        database = SqliteDatabase(path)
        yield SqlStore(database, record, lambda: 1000.0)
        database.close()
