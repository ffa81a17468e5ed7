"""Writing units of the embedded database: each whole or not at all, though commits are shared."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wharfinger.database.sqlite import SqliteDatabase


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


def test_units_that_share_a_commit_fail_alone(database: SqliteDatabase) -> None:
    """The first unit waits inside until all others queue, so that they continue its batch."""
    inside, others = threading.Event(), 12
    failing = {0, 3, 4, 8, 11}

    def first() -> None:
        with suppress(Mistake), database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO entries VALUES (100, 1)")
            inside.set()
            while database.waiting < others:
                threading.Event().wait(0.001)

    def follow(unit: int) -> None:
        with suppress(Mistake):
            write(database, unit * 2, fail=unit in failing)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    inside.wait()
    threads += [threading.Thread(target=follow, args=(unit,)) for unit in range(others)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {unit * 2: 2 for unit in range(others) if unit not in failing}
    assert written(database) == {100: 1, **expected}


def test_a_first_unit_that_fails_takes_nobody_with_it(database: SqliteDatabase) -> None:
    inside = threading.Event()

    def first() -> None:
        with suppress(Mistake), database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO entries VALUES (100, 1)")
            inside.set()
            while not database.waiting:
                threading.Event().wait(0.001)
            raise Mistake

    threads = [threading.Thread(target=first)]
    threads[0].start()
    inside.wait()
    threads.append(threading.Thread(target=write, args=(database, 2)))
    threads[1].start()
    for thread in threads:
        thread.join()

    assert written(database) == {2: 2}


def test_what_a_unit_wrote_shows_only_when_it_is_whole(database: SqliteDatabase) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO entries VALUES (1, 1)")
        assert written(database) == {}

    assert written(database) == {1: 1}
