"""What every store of jobs must do, on every database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import DATABASES
from wharfinger.jobs.model import Job
from wharfinger.jobs.ports import JobStore
from wharfinger.jobs.store import SqlJobStore

KINDS = ("empty", "scan")


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobStore]:
    with DATABASES[request.param](tmp_path) as database:
        yield SqlJobStore(database)


def put(store: JobStore, subject: str, run_at: float = 100.0, **payload: str) -> None:
    with store.writing() as queue:
        queue.enqueue("empty", subject, payload, run_at, now=90.0)


def claim(
    store: JobStore, owner: str = "one", now: float = 100.0, lease: float = 60.0
) -> Job | None:
    with store.writing() as queue:
        return queue.claim(KINDS, owner, now, now + lease)


def take(store: JobStore, owner: str = "one", now: float = 100.0, lease: float = 60.0) -> Job:
    job = claim(store, owner, now, lease)
    assert job is not None
    return job


def test_a_job_is_claimed_with_what_it_was_asked_for(store: JobStore) -> None:
    put(store, "local/team", name="team", region="local")
    job = take(store)
    assert (job.kind, job.subject) == ("empty", "local/team")
    assert job.payload == {"name": "team", "region": "local"}
    assert (job.attempts, job.fence, job.lease_owner, job.leased_until) == (1, 1, "one", 160.0)


def test_a_job_is_not_claimed_before_it_is_due(store: JobStore) -> None:
    put(store, "a", run_at=101.0)
    assert not store.due(KINDS, 100.0)
    assert claim(store, now=100.0) is None
    assert store.due(KINDS, 101.0)
    assert claim(store, now=101.0) is not None


def test_only_the_kinds_asked_for_are_claimed(store: JobStore) -> None:
    with store.writing() as queue:
        queue.enqueue("other", "a", {}, 1.0, 1.0)
    assert not store.due(KINDS, 100.0)
    assert claim(store) is None


def test_the_job_that_is_due_longest_comes_first(store: JobStore) -> None:
    put(store, "later", run_at=50.0)
    put(store, "sooner", run_at=40.0)
    assert [take(store).subject, take(store).subject] == ["sooner", "later"]


def test_a_held_job_is_claimed_again_only_after_its_lease(store: JobStore) -> None:
    put(store, "a")
    first = take(store, "one", now=100.0, lease=60.0)
    assert not store.due(KINDS, 159.0)
    assert claim(store, "two", now=159.0) is None
    second = take(store, "two", now=160.0)
    assert (second.id, second.fence, second.attempts) == (first.id, first.fence + 1, 2)


def test_who_lost_the_lease_can_change_nothing(store: JobStore) -> None:
    put(store, "a")
    lost = take(store, "one", now=100.0, lease=10.0)
    held = take(store, "two", now=110.0)
    with store.writing() as queue:
        assert not queue.renew(lost, 500.0)
        assert not queue.postpone(lost, 500.0, attempts=9, error="late")
        assert not queue.complete(lost)
        assert queue.renew(held, 400.0)
    assert [(job.lease_owner, job.leased_until) for job in store.jobs(10)] == [("two", 400.0)]


def test_a_complete_job_is_gone(store: JobStore) -> None:
    put(store, "a")
    job = take(store)
    with store.writing() as queue:
        assert queue.complete(job)
        assert not queue.complete(job)
    assert store.jobs(10) == []


def test_a_postponed_job_keeps_its_error_and_its_count(store: JobStore) -> None:
    put(store, "a")
    job = take(store)
    with store.writing() as queue:
        assert queue.postpone(job, 130.0, attempts=1, error="disk")
    assert claim(store, now=129.0) is None
    again = take(store, now=130.0)
    assert (again.attempts, again.last_error) == (2, "disk")


def test_asking_twice_makes_one_job_that_runs_no_later_and_knows_the_last_wish(
    store: JobStore,
) -> None:
    put(store, "a", run_at=200.0, wish="first")
    put(store, "a", run_at=150.0, wish="second")
    put(store, "a", run_at=180.0, wish="third")
    jobs = store.jobs(10)
    assert [(job.run_at, job.payload) for job in jobs] == [(150.0, {"wish": "third"})]


def test_a_job_asked_for_while_it_is_done_runs_once_more(store: JobStore) -> None:
    put(store, "a", run_at=95.0)
    job = take(store)
    put(store, "a", run_at=101.0)
    assert claim(store, "two", now=102.0) is None
    with store.writing() as queue:
        assert queue.complete(job)
    again = take(store, "two", now=102.0)
    assert again.attempts == 1


def test_a_failure_does_not_put_off_what_was_asked_for_meanwhile(store: JobStore) -> None:
    put(store, "a", run_at=95.0)
    job = take(store)
    put(store, "a", run_at=101.0)
    with store.writing() as queue:
        assert queue.postpone(job, 900.0, attempts=1, error="disk")
    assert claim(store, "two", now=102.0) is not None


def test_a_unit_that_fails_leaves_no_job(store: JobStore) -> None:
    def fail() -> None:
        with store.writing() as queue:
            queue.enqueue("empty", "a", {}, 1.0, 1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.jobs(10) == []


def test_many_who_claim_at_once_never_get_the_same_job(store: JobStore) -> None:
    for number in range(20):
        put(store, f"s{number:02}")
    got: list[str] = []
    ready = threading.Barrier(4)

    def worker(owner: str) -> None:
        ready.wait()
        while (job := claim(store, owner)) is not None:
            got.append(job.subject)

    threads = [threading.Thread(target=worker, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [f"s{number:02}" for number in range(20)]
