"""Runners: one holder a job, leases that end, failures that wait, an end that leaves all behind."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from wharfinger.database.schema import metadata
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.jobs.model import Job, LeaseLost
from wharfinger.jobs.ports import Handler, Lease
from wharfinger.jobs.runner import Runner
from wharfinger.jobs.service import Jobs
from wharfinger.jobs.store import SqlJobStore

LEASE = 60.0


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Watcher:
    """Remembers what runners told it."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.errors: list[str] = []

    def started(self, job: Job) -> None:
        pass

    def ended(self, job: Job, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append(outcome)

    def failed(self, job: Job | None, error: Exception) -> None:
        self.errors.append(repr(error))


class Yard:
    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.watcher = Watcher()
        self.stop = threading.Event()
        self.database = SqliteDatabase(path)
        with self.database.writing() as connection:
            metadata.create_all(connection)
        self.jobs = Jobs(SqlJobStore(self.database), self.clock, lease=LEASE, longest_retry=8.0)

    def runner(self, handlers: Mapping[str, Handler], owner: str = "one") -> Runner:
        return Runner(self.jobs, handlers, self.watcher, owner=owner, poll=0.01, stop=self.stop)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path / "jobs.db")
    yield yard
    yard.database.close()


def does(act: Handler) -> dict[str, Handler]:
    return {"work": act}


def test_a_job_is_done_once(yard: Yard) -> None:
    seen: list[str] = []

    def handler(lease: Lease) -> None:
        seen.append(lease.job.payload["what"])

    yard.jobs.ensure("work", "a", {"what": "sweep"})
    runner = yard.runner(does(handler))
    assert runner.run_one()
    assert not runner.run_one()
    assert seen == ["sweep"]
    assert yard.jobs.list() == []
    assert yard.watcher.outcomes == ["done"]


def test_a_failing_job_waits_longer_each_time_and_is_done_in_the_end(yard: Yard) -> None:
    fails = iter([True, True, False])

    def handler(lease: Lease) -> None:
        if next(fails):
            raise OSError("disk gone")

    yard.jobs.ensure("work", "a", {})
    runner = yard.runner(does(handler))
    assert runner.run_one()
    (job,) = yard.jobs.list()
    assert (job.run_at, job.attempts, job.last_error) == (1_001.0, 1, "OSError: disk gone")
    assert not runner.run_one()
    yard.clock.now = 1_001.0
    assert runner.run_one()
    (job,) = yard.jobs.list()
    assert job.run_at == 1_003.0
    yard.clock.now = 1_003.0
    assert runner.run_one()
    assert yard.jobs.list() == []
    assert yard.watcher.outcomes == ["failed", "failed", "done"]


def test_a_handler_that_fails_does_not_keep_others_from_their_turn(yard: Yard) -> None:
    done: list[str] = []

    def handler(lease: Lease) -> None:
        if lease.job.subject == "bad":
            raise RuntimeError
        done.append(lease.job.subject)

    yard.jobs.ensure("work", "bad", {})
    yard.jobs.ensure("work", "good", {})
    runner = yard.runner(does(handler))
    while runner.run_one():
        pass
    assert done == ["good"]


def test_a_periodic_job_runs_again_after_its_time(yard: Yard) -> None:
    yard.jobs.ensure("work", "daily", {})
    runner = yard.runner(does(lambda lease: 86_400.0))
    assert runner.run_one()
    assert not runner.run_one()
    yard.clock.now += 86_400.0
    assert runner.run_one()
    assert [job.attempts for job in yard.jobs.list()] == [0]


def test_the_job_of_a_runner_that_died_is_taken_up_after_its_lease(yard: Yard) -> None:
    yard.jobs.ensure("work", "a", {})
    assert yard.jobs.claim(["work"], "dead") is not None
    runner = yard.runner(does(lambda lease: None), "alive")
    yard.clock.now += LEASE - 1
    assert not runner.run_one()
    yard.clock.now += 1
    assert runner.run_one()
    assert yard.jobs.list() == []


def test_signs_of_life_keep_others_away(yard: Yard) -> None:
    other = yard.runner(does(lambda lease: None), "two")
    stolen: list[bool] = []

    def handler(lease: Lease) -> None:
        for _ in range(5):
            yard.clock.now += LEASE - 1
            lease.keep()
            stolen.append(other.run_one())

    yard.jobs.ensure("work", "a", {})
    assert yard.runner(does(handler)).run_one()
    assert stolen == [False] * 5
    assert yard.watcher.outcomes == ["done"]


def test_who_was_held_up_learns_that_the_job_is_no_longer_his(yard: Yard) -> None:
    taken: list[Job | None] = []

    def handler(lease: Lease) -> None:
        yard.clock.now += LEASE
        taken.append(yard.jobs.claim(["work"], "two"))
        lease.keep()
        pytest.fail("went on without the lease")

    yard.jobs.ensure("work", "a", {})
    assert yard.runner(does(handler)).run_one()
    assert yard.watcher.outcomes == ["lost"]
    (job,) = taken
    assert job is not None
    yard.jobs.complete(job)
    with pytest.raises(LeaseLost):
        yard.jobs.complete(job)


def test_an_end_without_sign_of_life_is_refused_as_well(yard: Yard) -> None:
    def handler(lease: Lease) -> None:
        yard.clock.now += LEASE
        assert yard.jobs.claim(["work"], "two") is not None

    yard.jobs.ensure("work", "a", {})
    assert yard.runner(does(handler)).run_one()
    assert yard.watcher.outcomes == ["lost"]
    assert [job.lease_owner for job in yard.jobs.list()] == ["two"]


def test_a_process_that_ends_leaves_its_job_to_the_next_at_once(yard: Yard) -> None:
    def handler(lease: Lease) -> None:
        yard.stop.set()
        lease.keep()
        pytest.fail("went on although the process ends")

    yard.jobs.ensure("work", "a", {})
    assert yard.runner(does(handler)).run_one()
    assert yard.watcher.outcomes == ["stopped"]
    (job,) = yard.jobs.list()
    assert (job.lease_owner, job.attempts) == ("", 0)
    assert yard.jobs.claim(["work"], "next") is not None


def test_the_loop_survives_a_database_that_is_away_and_ends_when_told(yard: Yard) -> None:
    done = threading.Event()

    def handler(lease: Lease) -> None:
        done.set()

    runner = yard.runner(does(handler))
    with yard.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs RENAME TO hidden")
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        while not yard.watcher.errors:
            thread.join(0.01)
        with yard.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO jobs")
        yard.jobs.ensure("work", "a", {})
        assert done.wait(10)
    finally:
        yard.stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_two_runners_at_once_do_each_job_once(yard: Yard) -> None:
    held: dict[str, int] = {}
    lock = threading.Lock()

    def handler(lease: Lease) -> None:
        with lock:
            held[lease.job.subject] = held.get(lease.job.subject, 0) + 1

    for number in range(20):
        yard.jobs.ensure("work", str(number), {})

    def drain(owner: str) -> None:
        runner = yard.runner(does(handler), owner)
        while runner.run_one():
            pass

    threads = [threading.Thread(target=drain, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held == {str(number): 1 for number in range(20)}
    assert yard.jobs.list() == []
