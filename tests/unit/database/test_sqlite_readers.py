"""Reading connections of the embedded database: few, lent to many, and waited for within bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wharfinger.database import sqlite
from wharfinger.database.errors import DatabaseUnavailable
from wharfinger.database.sqlite import SqliteDatabase

READERS = 2
THREADS = 12
LOOKS = 150
DEADLINE = 30


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "test.db", readers=READERS)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE entries (number INTEGER)")
    yield database
    database.close()


def test_many_threads_share_few_connections_and_all_come_back(database: SqliteDatabase) -> None:
    most: list[int] = []

    def look(number: int) -> int:
        ways = database.looking if number % 2 else database.reading
        for _ in range(LOOKS):
            with ways() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM entries").fetchone()
                most.append(database.in_use())
        return LOOKS

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(look, range(THREADS))) == THREADS * LOOKS

    assert max(most) <= READERS
    assert database.in_use() == 0


@pytest.mark.parametrize("way", ["looking", "reading"])
def test_a_connection_on_which_a_statement_failed_makes_room_for_another(
    database: SqliteDatabase, way: str
) -> None:
    for _ in range(2 * READERS):
        with pytest.raises(DatabaseUnavailable), getattr(database, way)() as connection:
            connection.exec_driver_sql("SELECT nothing FROM nowhere")
    with database.looking() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM entries").scalar() == 0
    assert database.in_use() == 0


def test_who_gets_none_is_told_and_gets_one_when_others_give_theirs_back(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    held, go_on = threading.Barrier(READERS + 1), threading.Event()

    def hold() -> None:
        with database.looking():
            held.wait(DEADLINE)
            go_on.wait(DEADLINE)

    with ThreadPoolExecutor(READERS + 1) as pool:
        holding = [pool.submit(hold) for _ in range(READERS)]
        held.wait(DEADLINE)
        try:
            with pytest.raises(DatabaseUnavailable), database.looking():
                pass
            monkeypatch.setattr(sqlite, "BUSY_SECONDS", DEADLINE)
            waiting = pool.submit(_look, database)
        finally:
            go_on.set()
        assert waiting.result(DEADLINE) == 0
        for each in holding:
            each.result(DEADLINE)
    assert database.in_use() == 0


def _look(database: SqliteDatabase) -> object:
    with database.looking() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM entries").scalar()
