"""Whatever workers do, downloads are counted once, and a crash costs what it held at most."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.quotas import MB, REGION, Depot
from wharfinger.quotas.model import TrafficExceeded, month_after, month_of, month_start
from wharfinger.quotas.service.traffic import Meter
from wharfinger.rooms import Rooms

FIRST, MOST = 1 << 10, 32 << 10
WORKERS = 3
LIMITS = {"none": None, "limited": 1}

worker = st.integers(0, WORKERS - 1)
tenant = st.sampled_from(sorted(LIMITS))


class Downloads(RuleBasedStateMachine):
    """Three workers of one service, an account with a limit and one without.

    ``granted`` is what was granted of each account. ``lost`` is how many workers died since a
    download of an account, each with a lease of ``MOST`` bytes at most.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()

    @initialize(strict=st.booleans())
    def starts(self, *, strict: bool) -> None:
        how: dict[str, Any] = {"quota_enforcement": "strict" if strict else "lenient"}
        how |= {"traffic_lease_bytes": FIRST, "traffic_lease_most_bytes": MOST}
        # Nothing happens by itself, so that a sequence that fails fails again.
        self.depot = Depot(Path(self._folder.name), {**how, "traffic_tick_seconds": 600})
        self.strict = strict
        self.workers = [self.depot.rooms] + [self.depot.worker() for _ in range(WORKERS - 1)]
        self.tenants = {name: self.depot.tenant(name) for name in LIMITS}
        quotas = self.depot.rooms.quotas.quotas
        quotas.set_quotas(self.tenants["limited"].manager, traffic=LIMITS["limited"])
        self.granted = dict.fromkeys(LIMITS, 0)
        self.lost = 0
        self.dead: list[Rooms] = []
        self.months = {month_of(self.depot.clock.now)}

    def teardown(self) -> None:
        for rooms in self.workers[1:] + self.dead:
            rooms.close()
        self.depot.close()
        self._folder.cleanup()

    def meter(self, number: int) -> Meter:
        found = self.workers[number].quotas.traffic
        assert isinstance(found, Meter)
        return found

    def counted(self, name: str) -> dict[str, int]:
        quotas = self.depot.rooms.quotas.quotas
        months = quotas.usage(self.tenants[name].manager, min(self.months), max(self.months))
        return {one.month: one.traffic for one in months}

    @rule(
        number=worker, name=tenant, size=st.integers(0, 20_000), times=st.sampled_from([1, 2, 10])
    )
    def downloads(self, number: int, name: str, size: int, times: int) -> None:
        meter, account = self.meter(number), self.tenants[name].account
        for _ in range(times):
            try:
                if not meter.spend(REGION, account, size):
                    meter.grant(REGION, account, size)
            except TrafficExceeded:
                assert sum(self.counted(name).values()) + size > MB // 2
                return
            self.granted[name] += size

    @rule(number=worker, size=st.integers(500, 3000))
    def is_busy(self, number: int, size: int) -> None:
        """Leases grow."""
        for _ in range(8):
            self.downloads(number, "limited", size, 2)
            self.refills(number)

    @rule(number=worker)
    def calms_down(self, number: int) -> None:
        """Leases shrink."""
        for _ in range(4):
            self.downloads(number, "limited", 1, 1)
            self.ticks(number)

    @rule(number=worker)
    def refills(self, number: int) -> None:
        self.meter(number).refill()

    @rule(number=worker)
    def ticks(self, number: int) -> None:
        self.meter(number).tick()

    @rule(number=st.integers(1, WORKERS - 1))
    def dies(self, number: int) -> None:
        """A worker dies; what it counted of the account without a limit is not in question."""
        self.meter(number).tick()
        self.dead.append(self.workers[number])
        self.workers[number] = self.depot.worker()
        self.lost += 1

    @rule(seconds=st.sampled_from([-3600, 1, 40, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self._now(self.depot.clock.now + seconds)

    @rule()
    def month_ends(self) -> None:
        self._now(month_start(month_after(month_of(self.depot.clock.now))) - 1)

    def _now(self, now: float) -> None:
        self.depot.clock.now = now
        self.months.add(month_of(now))

    @rule()
    def all_stand_still(self) -> None:
        """Then all that was leased and not spent was given back, but for what died."""
        for number in range(WORKERS):
            self.meter(number).tick()
            self.meter(number).tick()
        assert sum(self.counted("none").values()) == self.granted["none"]
        over = sum(self.counted("limited").values()) - self.granted["limited"]
        assert 0 <= over <= self.lost * MOST

    @invariant()
    def leases_are_counted_before_they_are_spent(self) -> None:
        over = sum(self.counted("limited").values()) - self.granted["limited"]
        assert 0 <= over <= (self.lost + WORKERS) * MOST

    @invariant()
    def no_strict_limit_is_exceeded(self) -> None:
        most = MB if self.strict else MB + 20_000
        assert all(traffic <= most for traffic in self.counted("limited").values())


Downloads.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDownloads = Downloads.TestCase
