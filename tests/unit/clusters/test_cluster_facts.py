"""What may be said of a cluster, and what is remembered of workers that went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.clusters.model import (
    DELETED_KEPT,
    ClusterFactInvalid,
    ClusterNameInvalid,
    Facts,
    TooManyWorkers,
    Worker,
    merged,
    require_facts,
    require_name,
)

ids = st.sampled_from([f"w{number}" for number in range(6)])
workers = st.lists(ids, unique=True).map(lambda some: tuple(Worker(one) for one in some))


def names(some: tuple[Worker, ...]) -> set[str]:
    return {worker.id for worker in some}


@pytest.mark.parametrize("name", ["c", "arn:aws:eks:x:1:cluster/shop", "pat@shop", "集群一", "a b"])
def test_names_that_contexts_have(name: str) -> None:
    assert require_name(name) == name


@pytest.mark.parametrize("name", ["", " c", "c ", "a\nb", "a\x1b[2Jb", "a\u202eb", "c" * 254])
def test_names_that_no_cluster_has(name: str) -> None:
    with pytest.raises(ClusterNameInvalid):
        require_name(name)


def test_what_would_act_on_a_colleagues_terminal_is_refused() -> None:
    for worker in (Worker("w\x1b]0;x\x07"), Worker("w", pool="a\nb"), Worker("w", zone="x" * 254)):
        with pytest.raises(ClusterFactInvalid):
            require_facts(Facts("c", (worker,)), 10)
    with pytest.raises(ClusterFactInvalid):
        require_facts(Facts("c\x00", ()), 10)
    with pytest.raises(ClusterFactInvalid, match="empty"):
        require_facts(Facts("c", (Worker(""),)), 10)


def test_more_workers_than_are_kept() -> None:
    three = tuple(Worker(f"w{number}") for number in range(3))
    assert require_facts(Facts("", three), 3).workers == three
    for facts in (Facts("", three), Facts("", (), three)):
        with pytest.raises(TooManyWorkers):
            require_facts(facts, 2)


def test_a_worker_that_went_is_remembered_with_its_facts_and_the_reason() -> None:
    before = Facts("c", (Worker("w1", zone="dal10", state="normal"), Worker("w2")))
    now = Facts("c", (Worker("w2"),), (Worker("w1", deletion_reason="scaled down"),))

    kept = merged(before, now)
    (gone,) = kept.deleted
    assert (gone.id, gone.zone, gone.state) == ("w1", "dal10", "deleted")
    assert gone.deletion_reason == "scaled down"
    # Later registrations know no reason; it stays.
    assert merged(kept, Facts("c", (Worker("w2"),))).deleted == kept.deleted
    # It came back.
    assert merged(kept, before).deleted == ()


@given(workers, workers, workers, workers)
def test_nobody_is_present_and_deleted_and_nobody_is_lost(
    before: tuple[Worker, ...],
    gone_before: tuple[Worker, ...],
    now: tuple[Worker, ...],
    gone_now: tuple[Worker, ...],
) -> None:
    kept = merged(Facts("c", before, gone_before), Facts("c", now, gone_now))

    assert kept.workers == now
    assert names(kept.deleted) == (names(before) | names(gone_before) | names(gone_now)) - names(
        now
    )
    assert all(worker.state == "deleted" for worker in kept.deleted)


def test_what_is_remembered_is_bounded() -> None:
    facts = Facts("c", ())
    for number in range(DELETED_KEPT + 5):
        facts = merged(facts, Facts("c", (Worker(f"w{number}"),)))
    facts = merged(facts, Facts("c", ()))

    assert len(facts.deleted) == DELETED_KEPT
    assert facts.deleted[-1].id == f"w{DELETED_KEPT + 4}"
