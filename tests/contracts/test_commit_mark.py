"""The commit mark of the embedded database changes with every commit, and costs no lock."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wharfinger.database.commit_mark import CommitMark
from wharfinger.database.sqlite import connect


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(database)) as made:
        made.execute("CREATE TABLE t (n INTEGER)")
        yield made


@pytest.fixture
def mark(connection: sqlite3.Connection) -> CommitMark:
    return CommitMark(connection)


def run_elsewhere(database: Path, statement: str) -> int:
    """Run a statement in another process, which does not wait for locks; 0 if it could."""
    program = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "c.execute(sys.argv[2]); c.close()"
    )
    command = [sys.executable, "-c", program, str(database), statement]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


def test_a_database_just_opened_has_one(database: Path) -> None:
    with closing(connect(database)) as connection:
        connection.execute("CREATE TABLE t (n INTEGER)")
    for _ in range(2):
        with closing(connect(database)) as connection:
            assert len(CommitMark(connection).read()) == 48


def test_each_commit_shows_and_nothing_else(
    connection: sqlite3.Connection, mark: CommitMark
) -> None:
    before = mark.read()
    connection.execute("SELECT count(*) FROM t").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t VALUES (1)")
    assert mark.read() == before
    connection.execute("ROLLBACK")
    assert mark.read() == before

    seen = {before}
    for number in range(200):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        seen.add(mark.read())
    assert len(seen) == 201


def test_a_commit_after_a_checkpoint_shows(
    connection: sqlite3.Connection, mark: CommitMark
) -> None:
    seen = set()
    for number in range(20):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        seen.add(mark.read())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(seen) == 20


def test_the_commit_of_another_process_shows(
    database: Path, connection: sqlite3.Connection, mark: CommitMark
) -> None:
    before = mark.read()
    assert run_elsewhere(database, "INSERT INTO t VALUES (1)") == 0
    assert mark.read() != before


def test_whoever_was_told_of_a_commit_finds_another_mark(database: Path) -> None:
    with closing(connect(database)) as reading:
        reading.execute("CREATE TABLE t (n INTEGER)")
        mark = CommitMark(reading)
        stale: list[int] = []

        def write(writer: int) -> None:
            with closing(connect(database, synchronous="NORMAL")) as connection:
                for number in range(100):
                    before = mark.read()
                    connection.execute("INSERT INTO t VALUES (?)", (number,))
                    if mark.read() == before:
                        stale.append(writer)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not stale
        assert reading.execute("SELECT count(*) FROM t").fetchone() == (400,)


def test_equal_marks_mean_equal_content(database: Path) -> None:
    """Read as a cache would: whatever was read between two equal marks is what stands."""
    with closing(connect(database)) as reading:
        reading.execute("CREATE TABLE t (n INTEGER)")
        mark = CommitMark(reading)
        known: dict[bytes, int] = {}
        done = threading.Event()

        def write() -> None:
            with closing(connect(database, synchronous="NORMAL")) as connection:
                for number in range(500):
                    connection.execute("INSERT INTO t VALUES (?)", (number,))
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        while not done.is_set():
            before = mark.read()
            (count,) = reading.execute("SELECT count(*) FROM t").fetchone()
            if mark.read() == before:
                assert known.setdefault(before, count) == count
        thread.join()
        assert known


def test_it_leaves_the_locks_of_its_process_alone(
    database: Path, connection: sqlite3.Connection
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        CommitMark(connection).read()
    assert run_elsewhere(database, "INSERT INTO t VALUES (1)") != 0
    connection.execute("COMMIT")
    assert run_elsewhere(database, "INSERT INTO t VALUES (1)") == 0
