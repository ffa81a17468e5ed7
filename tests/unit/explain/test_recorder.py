"""Refusals are written in batches, within bounds, and never in the way of an answer."""

import threading
from collections.abc import Sequence

import pytest

from tests.unit.explain.test_explain_model import refused
from wharfinger.explain.model import Refused
from wharfinger.explain.recorder import OF_ONE, OF_UNKNOWN, PENDING, Recorder

LONG = 3600.0


class Kept:
    """Where the recorder writes; tells when it did."""

    def __init__(self) -> None:
        self.batches: list[list[Refused]] = []
        self.written = threading.Event()
        self.error: Exception | None = None

    def add(self, refused: Sequence[Refused], per_account: int) -> None:
        if self.error:
            raise self.error
        self.batches.append(list(refused))
        self.written.set()

    def find(self, request_id: str) -> Refused | None:
        raise NotImplementedError

    def expire(self, before: int, limit: int) -> int:
        raise NotImplementedError


class TeamOwners:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def owner(self, region: str, namespace: str) -> str | None:
        self.asked.append((region, namespace))
        return "owner-of-team" if namespace == "team" else None


class Yard:
    def __init__(self, per_account: int = 1000, gather: float = LONG) -> None:
        self.kept, self.owners = Kept(), TeamOwners()
        self.failures: list[tuple[Exception, int]] = []
        self.recorder = Recorder(
            self.kept,
            self.owners,
            per_account,
            lambda error, count: self.failures.append((error, count)),
            gather,
        )


@pytest.fixture
def yard() -> Yard:
    return Yard()


def numbered(count: int, account: str = "") -> list[Refused]:
    return [refused(request_id=f"r{number}", account=account) for number in range(count)]


def test_what_comes_together_is_written_together(yard: Yard) -> None:
    for each in numbered(20):
        yard.recorder.note(each)
    assert not yard.kept.batches
    yard.recorder.flush()

    assert [len(batch) for batch in yard.kept.batches] == [20]
    yard.recorder.close()


def test_it_is_written_without_being_asked() -> None:
    yard = Yard(gather=0.0)
    yard.recorder.note(refused())

    assert yard.kept.written.wait(30)
    yard.recorder.close()


def test_the_end_writes_what_waits_and_nothing_comes_after(yard: Yard) -> None:
    yard.recorder.note(refused())
    yard.recorder.close()
    yard.recorder.note(refused(request_id="late"))
    yard.recorder.flush()

    assert [each.request_id for batch in yard.kept.batches for each in batch] == ["r1"]


def test_nothing_to_write_is_nothing_written(yard: Yard) -> None:
    yard.recorder.flush()
    yard.recorder.close()

    assert not yard.kept.batches


def test_an_account_cannot_fill_the_memory() -> None:
    yard = Yard(per_account=10)
    for each in [*numbered(50, account="noisy"), *numbered(5, account="quiet")]:
        yard.recorder.note(each)
    yard.recorder.close()

    (batch,) = yard.kept.batches
    assert [each.account for each in batch] == ["noisy"] * 10 + ["quiet"] * 5


@pytest.mark.parametrize(("account", "kept"), [("noisy", OF_ONE), ("", OF_UNKNOWN)])
def test_whoever_is_refused_all_the_time_does_not_write_all_the_time(
    yard: Yard, account: str, kept: int
) -> None:
    for each in numbered(OF_ONE + 50, account):
        yard.recorder.note(each)
    yard.recorder.close()

    assert len(yard.kept.batches[0]) == kept


def test_all_accounts_together_cannot_either(yard: Yard) -> None:
    for number in range(PENDING + 100):
        yard.recorder.note(refused(account=f"a{number}", request_id=f"r{number}"))
    yard.recorder.close()

    assert len(yard.kept.batches[0]) == PENDING


def test_the_owner_of_what_was_named_is_looked_up_once_a_batch(yard: Yard) -> None:
    yard.recorder.note(refused(owner=""))
    yard.recorder.note(refused(owner="", request_id="r2"))
    yard.recorder.note(refused(names={"name": "elsewhere"}, owner="acting", request_id="r3"))
    yard.recorder.note(refused(names={}, owner="acting", request_id="r4"))
    yard.recorder.close()

    owners = [each.owner for each in yard.kept.batches[0]]
    assert owners == ["owner-of-team", "owner-of-team", "acting", "acting"]
    assert yard.owners.asked == [("local", "team"), ("local", "elsewhere")]


def test_what_cannot_be_written_is_told_and_dropped(yard: Yard) -> None:
    yard.kept.error = OSError("disk full")
    yard.recorder.note(refused())
    yard.recorder.flush()
    yard.kept.error = None
    yard.recorder.note(refused(request_id="next"))
    yard.recorder.close()

    assert yard.failures == [(yard.failures[0][0], 1)]
    assert [[each.request_id for each in batch] for batch in yard.kept.batches] == [["next"]]
