"""Downloads are granted from leases, counted once, refused when the month's quota is reached."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from tests.contracts.quotas.conftest import Furnish
from tests.support.quotas import MB, REGION, Depot, Tenant
from wharfinger.quotas.model import TrafficExceeded
from wharfinger.quotas.service.traffic import Meter
from wharfinger.rooms import Rooms


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def limited(depot: Depot, megabytes: int) -> Tenant:
    tenant = depot.tenant("team")
    depot.rooms.quotas.quotas.set_quotas(tenant.manager, traffic=megabytes)
    return tenant


def meter(rooms: Rooms) -> Meter:
    found = rooms.quotas.traffic
    assert isinstance(found, Meter)
    return found


def pull(rooms: Rooms, tenant: Tenant, size: int) -> None:
    """Do what the registry does at a download."""
    traffic = rooms.quotas.traffic
    if not traffic.spend(REGION, tenant.account, size):
        traffic.grant(REGION, tenant.account, size)


def counted(depot: Depot, tenant: Tenant) -> int:
    return depot.rooms.quotas.quotas.quotas(tenant.manager)[1].traffic


def settle(*workers: Rooms) -> None:
    """Let a tick pass in which nothing is downloaded."""
    for rooms in workers:
        meter(rooms).tick()
        meter(rooms).tick()


def test_unlimited_accounts_are_counted(depot: Depot) -> None:
    tenant = depot.tenant("team")
    for size in (100, 0, 5000):
        pull(depot.rooms, tenant, size)

    settle(depot.rooms)

    assert counted(depot, tenant) == 5100


def test_limited_accounts_are_counted_and_leases_given_back(depot: Depot) -> None:
    tenant = limited(depot, 100)
    pull(depot.rooms, tenant, 1000)
    assert counted(depot, tenant) > 1000  # what is leased ahead counts while it is

    settle(depot.rooms)

    assert counted(depot, tenant) == 1000


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_a_download_is_refused_once_the_quota_is_reached(furnish: Furnish, mode: str) -> None:
    depot = furnish(quota_enforcement=mode)
    tenant = limited(depot, 1)
    for _ in range(4):
        pull(depot.rooms, tenant, MB // 4)

    with pytest.raises(TrafficExceeded):
        pull(depot.rooms, tenant, 1)

    settle(depot.rooms)
    assert counted(depot, tenant) == MB


def test_what_begins_below_a_lenient_limit_is_granted_whole(depot: Depot) -> None:
    tenant = limited(depot, 1)
    pull(depot.rooms, tenant, 100)

    pull(depot.rooms, tenant, 5 * MB)

    with pytest.raises(TrafficExceeded):
        pull(depot.rooms, tenant, 1)


def test_a_strict_limit_grants_only_what_fits(furnish: Furnish) -> None:
    depot = furnish(quota_enforcement="strict")
    tenant = limited(depot, 1)
    pull(depot.rooms, tenant, 100)

    with pytest.raises(TrafficExceeded):
        pull(depot.rooms, tenant, MB)

    pull(depot.rooms, tenant, MB - 100)


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_many_workers_at_once(furnish: Furnish, mode: str) -> None:
    depot = furnish(quota_enforcement=mode)
    tenant = limited(depot, 1)
    workers = [depot.rooms, depot.worker(), depot.worker()]
    size = 10_000

    def one(number: int) -> bool:
        try:
            pull(workers[number % len(workers)], tenant, size)
        except TrafficExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        granted = sum(pool.map(one, range(300))) * size
    settle(*workers)
    for rooms in workers[1:]:
        rooms.close()

    assert counted(depot, tenant) == granted
    assert granted <= MB if mode == "strict" else granted <= MB + size
    assert granted >= MB - len(workers) * MB // 16


def test_the_hot_path_asks_nobody_while_a_lease_lasts(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = limited(depot, 1000)
    pull(depot.rooms, tenant, 1)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(depot.rooms.database, "reading", fail)
    monkeypatch.setattr(depot.rooms.database, "writing", fail)
    for _ in range(1000):
        assert depot.rooms.quotas.traffic.spend(REGION, tenant.account, 10_000)
    monkeypatch.undo()


def test_a_lease_that_runs_low_is_refilled_in_the_background(depot: Depot) -> None:
    tenant = limited(depot, 5000)
    ahead = depot.all.traffic_lease_bytes
    pull(depot.rooms, tenant, 1)
    assert depot.rooms.quotas.traffic.spend(REGION, tenant.account, ahead - 10)

    meter(depot.rooms).refill()

    assert depot.rooms.quotas.traffic.spend(REGION, tenant.account, ahead - 10)


def stream(depot: Depot, tenant: Tenant, megabytes: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pull that much in pieces of 1 MiB, refilling as the background does; return the writes."""
    writing, writes = depot.rooms.database.writing, 0

    def count(**how: bool) -> AbstractContextManager[Connection]:
        nonlocal writes
        writes += 1
        return writing(**how)

    with monkeypatch.context() as patched:
        patched.setattr(depot.rooms.database, "writing", count)
        for _ in range(megabytes):
            pull(depot.rooms, tenant, MB)
            meter(depot.rooms).refill()
    return writes


def held(depot: Depot, tenant: Tenant, granted: int) -> int:
    return counted(depot, tenant) - granted


def test_leases_grow_with_the_demand_and_shrink_again(
    furnish: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, most = 4 * MB, 64 * MB
    depot = furnish(
        traffic_lease_bytes=first, traffic_lease_most_bytes=most, traffic_tick_seconds=600
    )
    tenant = limited(depot, 100_000)
    granted = 600

    assert stream(depot, tenant, granted, monkeypatch) <= 16
    assert first < held(depot, tenant, granted * MB) <= most

    for _ in range(8):  # as far as it grew, and once more
        pull(depot.rooms, tenant, 1)
        meter(depot.rooms).tick()
    assert 0 < held(depot, tenant, granted * MB + 8) <= first


def test_leases_are_small_near_the_limit(furnish: Furnish, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that another worker has its share of the last megabytes, and none is refused early."""
    depot = furnish(traffic_tick_seconds=600)
    tenant = limited(depot, 1000)
    granted = 990 * MB

    writes = stream(depot, tenant, 990, monkeypatch)

    assert held(depot, tenant, granted) <= MB
    assert writes < 990 // 4
    other = depot.worker()
    for _ in range(8):
        pull(other, tenant, MB)
    other.close()


def test_an_account_with_a_small_limit_is_not_leased_for_at_each_download(depot: Depot) -> None:
    tenant = limited(depot, 100)
    pull(depot.rooms, tenant, 1)
    before = counted(depot, tenant)
    for _ in range(10):
        pull(depot.rooms, tenant, MB // 10)
        meter(depot.rooms).refill()

    assert counted(depot, tenant) == before


def test_a_crash_counts_no_more_than_the_open_leases_too_much(depot: Depot) -> None:
    tenant = limited(depot, 2000)
    crashed = depot.worker()
    pull(crashed, tenant, 1000)
    crashed.database.close()

    settle(depot.rooms)

    assert 1000 <= counted(depot, tenant) <= 1000 + depot.all.traffic_lease_bytes


def test_a_crash_of_a_busy_worker_costs_what_leases_may_hold_at_most(
    furnish: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 16 * MB
    depot = furnish(traffic_lease_bytes=MB, traffic_lease_most_bytes=most, traffic_tick_seconds=600)
    tenant = limited(depot, 100_000)

    stream(depot, tenant, 100, monkeypatch)

    assert MB < held(depot, tenant, 100 * MB) <= most


def test_a_new_month_begins_with_nothing(depot: Depot) -> None:
    """The month ends at midnight UTC, whatever clocks on walls say."""
    tenant = limited(depot, 1)
    depot.clock.now = at("2026-03-31T23:59:58")
    pull(depot.rooms, tenant, 2 * MB)
    with pytest.raises(TrafficExceeded):
        pull(depot.rooms, tenant, 1)

    depot.clock.now = at("2026-04-01T00:00:00")

    pull(depot.rooms, tenant, 1000)
    settle(depot.rooms)
    assert counted(depot, tenant) == 1000
    kept = depot.rooms.quotas.quotas.usage(tenant.manager, "2026-03", "2026-04")
    assert {one.month: one.traffic for one in kept} == {"2026-03": 2 * MB, "2026-04": 1000}


def test_a_lease_ends_with_its_month_and_what_is_left_goes_back_to_it(depot: Depot) -> None:
    tenant = limited(depot, 100)
    depot.clock.now = at("2026-12-31T23:59:50")
    pull(depot.rooms, tenant, 10)
    depot.clock.now = at("2027-01-01T00:00:00")

    assert not depot.rooms.quotas.traffic.spend(REGION, tenant.account, 10)
    pull(depot.rooms, tenant, 20)
    settle(depot.rooms)

    kept = depot.rooms.quotas.quotas.usage(tenant.manager, "2026-12", "2027-01")
    assert {one.month: one.traffic for one in kept} == {"2026-12": 10, "2027-01": 20}


def test_a_lowered_limit_holds_within_the_lease(depot: Depot) -> None:
    tenant = depot.tenant("team")
    pull(depot.rooms, tenant, 1000)
    settle_later = depot.all.traffic_lease_seconds
    depot.rooms.quotas.quotas.set_quotas(tenant.manager, traffic=0)

    depot.clock.now += settle_later

    with pytest.raises(TrafficExceeded):
        pull(depot.rooms, tenant, 1)


def test_a_database_that_is_away_loses_nothing_that_was_counted(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = depot.tenant("team")
    pull(depot.rooms, tenant, 1000)

    def away(*_: object, **__: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(depot.rooms.database, "writing", away)
    with pytest.raises(OSError, match="away"):
        meter(depot.rooms).tick()
    monkeypatch.undo()

    settle(depot.rooms)
    assert counted(depot, tenant) == 1000


def test_closing_writes_down_what_is_left(depot: Depot) -> None:
    tenant = depot.tenant("team")
    other = depot.worker()
    pull(other, tenant, 700)

    other.close()

    assert counted(depot, tenant) == 700
