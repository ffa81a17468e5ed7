"""GB-months and months: the integral of what is stored, over month ends and changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.quotas import MB, Depot
from wharfinger.quotas.model import (
    Month,
    Stored,
    accrue,
    month_after,
    month_of,
    month_start,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_months_are_calendar_months_in_utc() -> None:
    assert month_of(at("2026-02-28T23:59:59")) == "2026-02"
    assert month_of(at("2026-03-01T00:00:00")) == "2026-03"
    assert month_start("2026-03") == at("2026-03-01T00:00:00")
    assert month_after("2026-12") == "2027-01"
    assert month_after("2026-09") == "2026-10"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_daylight_saving_changes_nothing(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """March and October have as many hours as days in them times 24."""
    monkeypatch.setenv("TZ", zone)
    import time

    time.tzset()
    try:
        for month, days in (("2026-03", 31), ("2026-10", 31), ("2026-11", 30)):
            length = month_start(month_after(month)) - month_start(month)
            assert length == days * 86_400
            stored = Stored(10, month_start(month), month, 0.0)
            ended, _ = accrue(stored, month_start(month_after(month)))
            assert ended == {month: 10.0 * days * 86_400}
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    st.lists(
        st.tuples(st.integers(0, 200 * 86_400), st.integers(0, 1 << 50)), min_size=1, max_size=8
    )
)
def test_the_integral_is_the_sum_over_all_changes(steps: list[tuple[int, int]]) -> None:
    """However often it is looked at, what accrues is bytes times seconds, each in its month."""
    now = int(at("2026-01-15T12:00:00"))
    begun, state, total = now, Stored(0, now, "2026-01", 0.0), 0.0
    kept: dict[str, float] = {}
    expected = 0
    for pause, size in steps:
        expected += state.stored * pause
        now += pause
        ended, state = accrue(state, now)
        kept |= {month: kept.get(month, 0.0) + value for month, value in ended.items()}
        state = Stored(size, state.since, state.month, state.byte_seconds)
    total = sum(kept.values()) + state.byte_seconds
    assert total == pytest.approx(expected, rel=1e-9)
    assert state.month == month_of(now)
    assert list(kept) == sorted(kept)
    assert all(month_start(month_after(month)) > begun for month in kept)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    state = Stored(10, 2_000_000_000, month_of(2_000_000_000), 5.0)

    assert accrue(state, 1_000_000_000) == ({}, state)


def test_a_gigabyte_for_a_whole_month_is_one() -> None:
    for month in ("2026-02", "2026-07", "2028-02"):
        length = month_start(month_after(month)) - month_start(month)
        assert Month(month, (1 << 30) * length, 0).gigabyte_months == 1.0


def test_usage_is_kept_month_by_month(depot: Depot) -> None:
    tenant = depot.tenant("team")
    quotas = depot.rooms.quotas.quotas
    depot.clock.now = at("2026-01-01T00:00:00")
    depot.push("team/app", b"\0" * MB)
    depot.clock.now = at("2026-01-16T12:00:00")
    digest = depot.push("team/app", b"\1" * MB)
    depot.clock.now = at("2026-02-15T00:00:00")
    depot.delete_blob("team/app", digest)
    depot.clock.now = at("2026-04-01T00:00:00")

    found = {one.month: one.byte_seconds / MB / 86_400 for one in _usage(depot, tenant)}
    # January: 31 + 15.5 days of a megabyte each; then 28 + 14; then only the first.
    assert found == pytest.approx({"2026-01": 46.5, "2026-02": 42, "2026-03": 31, "2026-04": 0})

    while depot.rooms.quotas.care():
        pass
    kept = {one.month: one.byte_seconds / MB / 86_400 for one in _usage(depot, tenant)}
    assert kept == pytest.approx(found)
    line = next(iter(quotas.operator_usage("2026-02")))
    assert (line.holder, line.month.byte_seconds) == (tenant.holder, 42 * 86_400 * MB)


def _usage(depot: Depot, tenant: object) -> list[Month]:
    manager = getattr(tenant, "manager")  # noqa: B009 - a Tenant
    return list(depot.rooms.quotas.quotas.usage(manager, "2026-01", "2026-04"))
