"""How long failing work waits, and how a job's standing is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.jobs.model import Job, JobState, retry_delay


def test_the_wait_doubles_from_one_second() -> None:
    assert [retry_delay(attempts, 300.0) for attempts in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]


@given(st.integers(min_value=0, max_value=10_000_000), st.floats(min_value=1.0, max_value=1e6))
def test_the_wait_grows_but_never_beyond_the_longest(attempts: int, longest: float) -> None:
    assert 1.0 <= retry_delay(attempts, longest) <= longest
    assert retry_delay(attempts, longest) <= retry_delay(attempts + 1, longest)


@pytest.mark.parametrize(
    ("job", "state"),
    [
        (Job(1, "k", "s"), JobState.WAITING),
        (Job(1, "k", "s", leased_until=11, lease_owner="me"), JobState.RUNNING),
        (Job(1, "k", "s", leased_until=10, lease_owner="me"), JobState.ABANDONED),
        (Job(1, "k", "s", attempts=1, last_error="no"), JobState.RETRYING),
        (Job(1, "k", "s", leased_until=11, lease_owner="me", last_error="no"), JobState.RUNNING),
    ],
)
def test_how_a_job_stands(job: Job, state: JobState) -> None:
    assert job.state(10.0) is state
