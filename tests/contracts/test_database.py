"""What a `Database` promises about units of work, on every one there is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from tests.support.databases import DATABASES, LIMITS, postgresql_database
from tests.support.postgres import fresh_database, shared_cluster
from wharfinger.database.again import ATTEMPTS, again, rerun
from wharfinger.database.errors import DatabaseInterrupted, DatabaseUnavailable
from wharfinger.database.postgres import Limits, PostgresDatabase
from wharfinger.database.schema import identity
from wharfinger.database.unit import Database

FAILURES = identity.signin_failures
ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with DATABASES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Database]:
    with postgresql_database(tmp_path) as opened:
        yield opened


def add(connection: Connection, key: str, count: int = 1) -> None:
    connection.execute(insert(FAILURES).values(key=key, window_start=0, count=count))


def total(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(FAILURES)).scalar_one()


def end_others(database: Database) -> None:
    """End all other sessions of the database, as a restart does."""
    with database.reading() as connection:
        connection.exec_driver_sql(ENDED)


# --- every database ------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [True, False])
def test_what_a_unit_wrote_is_seen_at_once_by_the_next(database: Database, durable: bool) -> None:
    with database.writing(durable=durable) as connection:
        add(connection, "a")
        assert total(connection) == 1
    with database.reading() as connection:
        assert total(connection) == 1


def test_a_unit_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            add(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert total(connection) == 0


def test_a_reading_unit_sees_one_moment(database: Database) -> None:
    with database.reading() as connection:
        before = total(connection)
        with database.writing() as other:
            add(other, "a")
        assert total(connection) == before == 0


def test_each_look_sees_what_is_committed_by_then(database: Database) -> None:
    for count in range(3):
        with database.looking() as connection:
            assert total(connection) == count
        with database.writing() as connection:
            add(connection, f"a{count}")
    failed = pytest.raises((SQLAlchemyError, DatabaseUnavailable))
    with failed, database.looking() as connection:
        connection.exec_driver_sql("SELECT no_such_function()")
    with database.looking() as connection:
        assert total(connection) == 3


def test_more_readers_than_connections_wait_for_their_turn(database: Database) -> None:
    inside = threading.Barrier(8)

    def read(number: int) -> int:
        inside.wait()
        for _ in range(20):
            with database.reading() if number % 2 else database.looking() as connection:
                assert total(connection) == 0
        return database.in_use()

    with ThreadPoolExecutor(8) as pool:
        assert all(used >= 0 for used in pool.map(read, range(8)))
    assert database.in_use() == 0


def test_counting_side_by_side_loses_nothing(database: Database) -> None:
    with database.writing() as connection:
        add(connection, "a", 0)

    def count() -> None:
        for _ in range(25):
            with database.writing(durable=False) as connection:
                connection.execute(update(FAILURES).values(count=FAILURES.c.count + 1))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count) for _ in range(4)]:
            done.result()
    with database.reading() as connection:
        assert connection.execute(select(FAILURES.c.count)).scalar_one() == 100


def test_a_check_needs_a_schema(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
    database.check()
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises((DatabaseUnavailable, SQLAlchemyError)):
        database.check()


# --- PostgreSQL ----------------------------------------------------------------------------


def test_nothing_is_written_in_a_reading_unit(postgresql: Database) -> None:
    with pytest.raises(DatabaseInterrupted), postgresql.reading() as connection:
        add(connection, "a")


def test_a_swallowed_failure_is_not_committed(postgresql: Database) -> None:
    def swallow() -> None:
        with postgresql.writing() as connection:
            add(connection, "a")
            try:
                connection.execute(text("SELECT 1 / 0"))
            except SQLAlchemyError:
                return

    with pytest.raises(RuntimeError, match="swallowed"):
        swallow()
    with postgresql.reading() as connection:
        assert total(connection) == 0


def test_sessions_that_ended_while_idle_are_replaced_unnoticed(postgresql: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        barrier = threading.Barrier(6)

        def use() -> None:
            with postgresql.reading() as connection:
                barrier.wait()
                total(connection)

        for done in [pool.submit(use) for _ in range(6)]:
            done.result()
        end_others(postgresql)
        for _ in range(6):
            with postgresql.writing() as connection:
                total(connection)


def test_a_unit_whose_session_is_ended_is_undone(postgresql: Database) -> None:
    def fail() -> None:
        with postgresql.writing() as connection:
            add(connection, "a")
            end_others(postgresql)
            total(connection)

    with pytest.raises(DatabaseInterrupted) as told:
        fail()
    assert told.value.undone
    assert told.value.headers["Retry-After"]
    with postgresql.reading() as connection:
        assert total(connection) == 0


def test_a_session_that_is_ended_at_the_commit_leaves_doubt(postgresql: Database) -> None:
    def fail() -> None:
        with postgresql.writing() as connection:
            add(connection, "a")
            end_others(postgresql)

    with pytest.raises(DatabaseInterrupted) as told:
        fail()
    assert told.value.committing
    assert not told.value.undone


def test_a_connection_that_breaks_undoes_its_unit_whatever_the_driver_calls_it(
    postgresql: Database,
) -> None:
    # What libpq says by itself has no SQLSTATE: the driver's class for it is the general one.
    def break_down() -> None:
        with postgresql.writing() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.close()
            raise psycopg.DatabaseError("server closed the connection unexpectedly")

    with pytest.raises(DatabaseInterrupted) as caught:
        break_down()
    assert caught.value.undone


def test_what_the_driver_says_on_a_sound_connection_is_a_defect_of_ours(
    postgresql: Database,
) -> None:
    with pytest.raises(psycopg.DatabaseError), postgresql.reading():
        raise psycopg.DatabaseError("nobody knows this one")


def test_two_units_in_a_deadlock_end_one_of_them_undone(postgresql: Database) -> None:
    with postgresql.writing() as connection:
        add(connection, "a")
        add(connection, "b")
    both = threading.Barrier(2)

    def change(first: str, second: str) -> None:
        with postgresql.writing() as connection:
            for key, meet in ((first, True), (second, False)):
                connection.execute(update(FAILURES).where(FAILURES.c.key == key).values(count=9))
                if meet:
                    both.wait()

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(change, "a", "b"), pool.submit(change, "b", "a")]
        (loser,) = (end.exception() for end in ends if end.exception() is not None)
    assert isinstance(loser, DatabaseInterrupted)
    assert loser.undone


def test_who_waits_too_long_for_a_lock_is_told_to_come_again(tmp_path: Path) -> None:
    with fresh_database() as url:
        hasty = PostgresDatabase(url, Limits(4, wait=5, statement=30, lock=0.2, idle=60))
        with hasty.writing() as connection:
            add(connection, "a")
        with hasty.writing() as connection:
            connection.execute(update(FAILURES).values(count=2))
            with pytest.raises(DatabaseUnavailable) as told, hasty.writing() as other:
                other.execute(update(FAILURES).values(count=3))
        assert not told.value.undone
        hasty.close()


def test_a_statement_that_takes_too_long_is_ended() -> None:
    with fresh_database() as url:
        hasty = PostgresDatabase(url, Limits(4, wait=5, statement=0.2, lock=5, idle=60))
        with pytest.raises(DatabaseUnavailable), hasty.reading() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(30)")
        hasty.close()


def test_units_share_a_session_in_which_statements_are_prepared() -> None:
    with fresh_database() as url:
        small = PostgresDatabase(url, Limits(1, wait=5, statement=30, lock=5, idle=60))
        sessions = set()
        for _ in range(10):
            with small.reading() as connection:
                total(connection)
                sessions.add(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
        with small.reading() as connection:
            query = "SELECT statement FROM pg_prepared_statements"
            prepared = list(connection.exec_driver_sql(query).scalars())
        small.close()
    assert len(sessions) == 1
    assert any(FAILURES.name in statement for statement in prepared)


def test_more_units_than_connections_take_turns() -> None:
    with fresh_database() as url:
        small = PostgresDatabase(url, Limits(2, wait=20, statement=30, lock=5, idle=60))

        def use() -> None:
            with small.writing() as connection:
                total(connection)

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(use) for _ in range(40)]:
                done.result()
        small.close()


def test_a_database_that_is_away_is_waited_for(postgresql: Database) -> None:
    """As long as the settings say; a check waits for nothing."""
    cluster = shared_cluster()
    hasty = PostgresDatabase(
        cluster.url("postgres"), Limits(2, wait=0.2, statement=5, lock=5, idle=60)
    )
    _enter(postgresql)
    cluster.stop("immediate")
    begun = time.monotonic()
    try:
        for ask in (postgresql.check, lambda: _enter(hasty)):
            with pytest.raises(DatabaseUnavailable):
                ask()
        assert time.monotonic() - begun < LIMITS.wait / 2
        pool = ThreadPoolExecutor(1)
        waiting = pool.submit(_enter, postgresql)
    finally:
        cluster.start()
    waiting.result()
    pool.shutdown()
    hasty.close()


def _enter(database: Database) -> None:
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")


# --- running again -------------------------------------------------------------------------


def interrupted(times: int, *, committing: bool = False) -> Callable[[], int]:
    """Something that the database ends so many times, and then returns how often it was run."""
    runs = 0

    def run() -> int:
        nonlocal runs
        runs += 1
        if runs <= times:
            raise DatabaseInterrupted(committing=committing)
        return runs

    return run


@pytest.mark.parametrize("committing", [False, True])
def test_what_may_be_done_twice_is_run_again(committing: bool) -> None:
    assert again(interrupted(ATTEMPTS - 1, committing=committing))() == ATTEMPTS


def test_it_is_not_run_for_ever() -> None:
    with pytest.raises(DatabaseInterrupted):
        again(interrupted(ATTEMPTS))()


def test_who_can_find_out_is_told_of_the_doubt() -> None:
    run = interrupted(1, committing=True)
    told: list[bool] = []

    def unit(*, uncertain: bool) -> int:
        told.append(uncertain)
        return run()

    assert rerun(unit) == 2
    assert told == [False, True]
