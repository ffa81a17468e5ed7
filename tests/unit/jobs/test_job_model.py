"""How long failing work waits."""

from hypothesis import given
from hypothesis import strategies as st

from wharfinger.jobs.model import retry_delay


def test_the_wait_doubles_from_one_second() -> None:
    assert [retry_delay(attempts, 300.0) for attempts in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]


@given(st.integers(min_value=0, max_value=10_000_000), st.floats(min_value=1.0, max_value=1e6))
def test_the_wait_grows_but_never_beyond_the_longest(attempts: int, longest: float) -> None:
    assert 1.0 <= retry_delay(attempts, longest) <= longest
    assert retry_delay(attempts, longest) <= retry_delay(attempts + 1, longest)
