"""Which images a policy keeps: each rule, and what holds for any images whatever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wharfinger.images.model.retention import (
    ALL,
    DAY,
    EARLIEST,
    Candidate,
    Policy,
    Pushes,
    doomed,
)

NOW = 1_700_000_000
QUIET = Pushes(untagged_since=NOW)
KEEP_TWO = Policy("team", "a", images_per_repo=2, retain_untagged=False)


def image(name: str, created: int | None, *tags: str, pushed_at: int = 0) -> Candidate:
    return Candidate(name, created, pushed_at, tags)


def row(count: int) -> list[Candidate]:
    """Images a day apart, the first the newest."""
    return [image(f"d{n}", NOW - n * DAY, f"v{n}") for n in range(count)]


def gone(images: list[Candidate], policy: Policy = KEEP_TWO, pushes: Pushes = QUIET) -> list[str]:
    return [one.digest for one in doomed(images, policy, NOW, pushes)]


def test_the_newest_by_date_are_kept_whenever_they_were_pushed() -> None:
    images = [replace(one, pushed_at=n) for n, one in enumerate(row(4))]
    assert gone(images) == gone(images[::-1]) == ["d2", "d3"]


def test_a_policy_that_keeps_all_keeps_all() -> None:
    assert gone(row(5), replace(KEEP_TWO, images_per_repo=ALL)) == []
    assert gone(row(5), Policy("team", "a")) == []


def test_several_tags_count_once() -> None:
    images = row(3)
    images[0] = replace(images[0], tags=("a", "b", "c"))
    assert gone(images) == ["d2"]


@pytest.mark.parametrize("created", [None, EARLIEST - 1, 0, -1])
def test_undated_images_are_kept_and_not_counted(created: int | None) -> None:
    assert gone([image("undated", created, "v0"), *row(3)]) == ["d2"]


def test_the_first_date_that_is_believed() -> None:
    assert gone([*row(2), image("old", EARLIEST, "v9")]) == ["old"]


def test_untagged_images_are_left_out_if_the_policy_wants_it() -> None:
    images = [image("untagged", NOW + 1), *row(3)]
    assert gone(images) == ["d1", "d2"]
    assert gone(images, replace(KEEP_TWO, retain_untagged=True)) == ["d2"]


def test_images_younger_than_the_threshold_are_kept() -> None:
    assert gone(row(6), replace(KEEP_TWO, deletion_threshold_days=4)) == ["d4", "d5"]


def test_untagged_images_of_a_push_that_may_be_under_way_are_kept() -> None:
    images = [*row(2), image("young", NOW - 9 * DAY, pushed_at=NOW - 5)]
    assert gone(images, pushes=Pushes(NOW - 10)) == []
    assert gone(images, pushes=Pushes(NOW - 5)) == ["young"]
    tagged = [*row(2), image("young", NOW - 9 * DAY, "v9", pushed_at=NOW - 5)]
    assert gone(tagged, pushes=Pushes(NOW - 10)) == ["young"]


def test_what_came_since_an_open_push_began_is_kept() -> None:
    images = [*row(2), image("young", NOW - 9 * DAY, "v9", pushed_at=NOW - 5)]
    assert gone(images, pushes=Pushes(NOW, begun_at=NOW - 5)) == []
    assert gone(images, pushes=Pushes(NOW, begun_at=NOW - 4)) == ["young"]


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        digest=st.uuids().map(str),
        created=st.none() | st.integers(EARLIEST - 5, EARLIEST + 20),
        pushed_at=st.integers(0, 20),
        tags=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
    ),
    max_size=20,
)


@given(CANDIDATES, st.integers(1, 5), st.booleans(), st.integers(0, 20))
def test_whatever_there_is_the_newest_stay_and_a_second_run_finds_nothing(
    images: list[Candidate], keep: int, retain: bool, since: int
) -> None:
    policy = Policy("team", "a", keep, retain)
    pushes = Pushes(since)
    removed = doomed(images, policy, NOW, pushes)
    left = [one for one in images if one not in removed]
    assert doomed(left, policy, NOW, pushes) == []
    assert all(one.created is not None and one.created >= EARLIEST for one in removed)
    assert not (retain and any(not one.tags for one in removed))
    counted = [
        one
        for one in left
        if one.created is not None and one.created >= EARLIEST and (one.tags or not retain)
    ]
    assert not removed or len(counted) >= keep
    oldest_kept = sorted((one.created or 0 for one in counted), reverse=True)[:keep]
    assert all((one.created or 0) <= min(oldest_kept) for one in removed)
