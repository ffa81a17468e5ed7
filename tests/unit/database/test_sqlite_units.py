"""Writing units of the embedded database: each whole or not at all, though commits are shared."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wharfinger.database.errors import DatabaseUnavailable, StorageFull
from wharfinger.database.sqlite import SqliteDatabase, connect


class Mistake(Exception):
    """What a unit raises."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "test.db")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE entries (unit INTEGER, step INTEGER)")
    yield database
    database.close()


def write(database: SqliteDatabase, unit: int, *, fail: bool = False) -> None:
    with database.writing(durable=unit % 2 == 0) as connection:
        for step in (1, 2):
            connection.exec_driver_sql(f"INSERT INTO entries VALUES ({unit}, {step})")
        if fail:
            raise Mistake


def written(database: SqliteDatabase) -> dict[int, int]:
    """Steps of each unit that can be read."""
    query = "SELECT unit, count(*) FROM entries GROUP BY unit"
    with database.reading() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(query)}


def test_a_unit_that_raises_leaves_nothing_and_the_next_one_works(
    database: SqliteDatabase,
) -> None:
    with pytest.raises(Mistake):
        write(database, 0, fail=True)
    write(database, 2)

    assert written(database) == {2: 2}


def test_units_that_queue_for_their_turn_fail_alone(database: SqliteDatabase) -> None:
    """The first unit waits inside until all others queue behind it."""
    inside, others = threading.Event(), 12
    failing = {0, 3, 4, 8, 11}

    def first() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO entries VALUES (100, 1)")
            inside.set()
            while database.waiting < others:
                threading.Event().wait(0.001)

    def follow(unit: int) -> None:
        with suppress(Mistake):
            write(database, unit, fail=unit in failing)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    inside.wait()
    threads += [threading.Thread(target=follow, args=(unit,)) for unit in range(others)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {unit: 2 for unit in range(others) if unit not in failing}
    assert written(database) == {100: 1, **expected}


def test_a_unit_waits_for_another_process_to_let_go(database: SqliteDatabase) -> None:
    other = connect(database.path)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=write, args=(database, 2))
    thread.start()
    while not database.in_use():
        threading.Event().wait(0.001)
    other.execute("COMMIT")
    thread.join()
    other.close()

    assert written(database) == {2: 2}


def test_what_a_unit_wrote_shows_only_when_it_is_whole(database: SqliteDatabase) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO entries VALUES (1, 1)")
        assert written(database) == {}

    assert written(database) == {1: 1}


# --- durability ----------------------------------------------------------------------------


def test_a_durable_unit_is_on_the_disk_before_it_returns(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[int, int]] = []
    sync = os.fdatasync

    def watched(file: int) -> None:
        seen.append(written(database))
        sync(file)

    monkeypatch.setattr(os, "fdatasync", watched)
    write(database, 1)
    assert seen == []
    write(database, 2)
    assert seen == [{1: 2, 2: 2}]


@pytest.mark.parametrize(
    ("number", "refusal"), [(errno.EIO, DatabaseUnavailable), (errno.ENOSPC, StorageFull)]
)
def test_a_sync_that_fails_fails_the_unit_and_the_next_one_makes_good_for_it(
    database: SqliteDatabase,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    refusal: type[Exception],
) -> None:
    def broken(file: int) -> None:
        del file
        raise OSError(number, os.strerror(number))

    log = database.path.with_name("test.db-wal")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(refusal):
            write(database, 2)
    assert log.stat().st_size

    write(database, 4)
    assert log.stat().st_size == 0, "the database file has all of it"
    write(database, 6)
    assert log.stat().st_size, "the log is in use again"
    assert written(database)[4] == written(database)[6] == 2
