"""The benchmark's table: medians, quotients, verdicts and layout."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures.pairs import Cost, in_pairs, typical
from bench.load import LoadError, parse_wrk
from bench.memory import pss, session_pids
from bench.table import HEADINGS, Figure, Target, certain, median, number, ratio, render, row

VALUES = st.lists(st.floats(min_value=0.001, max_value=1e9), min_size=1, max_size=9)


def figure(
    ours: list[float], peer: list[float], target: Target | None = None, *, compared: bool = True
) -> Figure:
    return Figure("manifest GET", "1/s", "a core", ours, peer, target, compared)


def test_ratio_is_ours_by_the_peer_of_the_medians() -> None:
    assert ratio(figure([90, 100, 900], [20, 25, 26])) == 4


@pytest.mark.parametrize(("ours", "peer"), [([], [1.0]), ([1.0], []), ([1.0], [0.0])])
def test_no_ratio_without_two_sides(ours: list[float], peer: list[float]) -> None:
    assert ratio(figure(ours, peer)) is None


def test_no_ratio_where_a_quotient_says_nothing() -> None:
    assert ratio(figure([2.0], [0.01], compared=False)) is None


def test_paired_rounds_are_divided_one_by_one() -> None:
    """A machine that slows down for both sides alike moves the medians, and not the quotient."""
    of_pairs = Figure("pull", "1/s", "a core", [99, 50, 10], [100, 51, 9], paired=True)
    assert ratio(of_pairs) == 0.99
    assert row(of_pairs)[4] == "0.99x (0.98..1.11)"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [([99, 98, 97], "met"), ([80, 81, 82], "MISSED"), ([80, 99, 99], "undecided")],
)
def test_a_target_within_the_bounds_is_undecided(ours: list[float], verdict: str) -> None:
    target = Target(least_ratio=0.9)
    assert row(Figure("pull", "1/s", "", ours, [100] * 3, target, paired=True))[6] == verdict


@given(st.lists(st.floats(min_value=0.001, max_value=1e9), min_size=1, max_size=300))
def test_bounds_of_a_median_hold_it(values: list[float]) -> None:
    low, high = certain(values)
    assert low <= statistics.median(values) <= high


def test_bounds_of_a_median_close_in() -> None:
    """Ranks 40 and 61 of a hundred: the binomial distribution's, outside of which lie 4 %."""
    assert certain(range(1, 101)) == (40, 61)


def test_a_typical_pair_has_the_median_quotient_of_the_pairs() -> None:
    """One round that the machine slowed down for the first alone does not count."""
    first = [Cost(10, 2), Cost(90, 20), Cost(1, 99)]
    second = [Cost(10, 1), Cost(100, 10), Cost(100, 10)]
    on, without = typical(first, second)
    assert without == Cost(100, 10)
    assert on == Cost(90, 20)


@pytest.mark.parametrize("pairs", [1, 2, 7])
def test_who_begins_a_pair_changes(pairs: int) -> None:
    asked: list[str] = []

    def measure(one: str) -> Cost:
        asked.append(one)
        return Cost(len(asked), 1.0)

    first, second = in_pairs(pairs, "a", "b", measure)
    assert "".join(asked) == ("abba" * pairs)[: 2 * pairs]
    assert [asked[int(cost.rate) - 1] for cost in first] == ["a"] * pairs
    assert [asked[int(cost.rate) - 1] for cost in second] == ["b"] * pairs


@given(VALUES)
def test_ratio_to_itself_is_one(values: list[float]) -> None:
    assert ratio(figure(values, values)) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (3.14159, "3.14"), (99.94, "99.9"), (31234.5, "31,234")],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("values", "text"), [([], "-"), ([7.0], "7"), ([9.0, 1.0, 5.0], "5 (1..9)")]
)
def test_median_shows_the_spread_of_the_rounds(values: list[float], text: str) -> None:
    assert median(values) == text


@pytest.mark.parametrize(
    ("target", "ours", "peer", "verdict"),
    [
        (Target(least_ratio=4), [40.0], [10.0], "met"),
        (Target(least_ratio=4), [39.0], [10.0], "MISSED"),
        (Target(least_ratio=4), [39.0], [], "MISSED"),
        (Target(most_ratio=1.5), [15.0], [10.0], "met"),
        (Target(most_ratio=1.5), [16.0], [10.0], "MISSED"),
        (Target(most_ratio=1.5), [1.0], [], "MISSED"),
        (Target(most_value=40), [40.0], [], "met"),
        (Target(most_value=40), [40.1], [1000.0], "MISSED"),
        (Target(least_ratio=1, most_value=5), [6.0], [6.0], "MISSED"),
        (None, [1.0], [2.0], ""),
        (Target(most_value=40), [], [], ""),
    ],
)
def test_verdict(target: Target | None, ours: list[float], peer: list[float], verdict: str) -> None:
    assert row(figure(ours, peer, target))[HEADINGS.index("")] == verdict


def test_target_is_named() -> None:
    assert str(Target(least_ratio=0.9)) == ">= 0.9x"
    assert str(Target(most_ratio=1.5)) == "<= 1.5x"
    assert str(Target(most_value=200)) == "<= 200"


@given(st.lists(VALUES, max_size=5))
def test_every_line_of_the_table_is_as_wide_as_the_first(rounds: list[list[float]]) -> None:
    lines = render([figure(values, values[:1]) for values in rounds]).splitlines()
    assert len(lines) == 2 + len(rounds)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert {line.count("|") for line in lines} == {len(HEADINGS) + 1}


def test_wrk_report_is_read() -> None:
    assert parse_wrk("  60 requests in 2.00s\nRequests/sec:   2980.57\n") == 2980.57


@pytest.mark.parametrize(
    "report",
    [
        "",
        "Requests/sec:      0.00\n",
        "Requests/sec:   900.00\n  Non-2xx or 3xx responses: 12\n",
    ],
)
def test_wrk_report_of_failures_is_no_figure(report: str) -> None:
    with pytest.raises(LoadError):
        parse_wrk(report)


def test_memory_of_nobody_is_nothing() -> None:
    nobody = 2**31 - 1  # above any pid_max
    assert pss(nobody) == 0
    assert session_pids(nobody) == []
