"""Traffic of downloads: workers lease bytes from the database and spend them by themselves.

While a lease lasts, granting a download costs a look-up. Leases are counted as downloaded when
they are taken, and what is left of one is given back once the account stood still for a tick or
the worker ends; so a worker that crashes leaves its open leases counted, and loses of accounts
without a limit what it counted since its last tick.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from wharfinger.quotas.model import (
    UNUSED,
    Holder,
    Level,
    TrafficExceeded,
    month_after,
    month_of,
    month_start,
)
from wharfinger.quotas.ports import Clock, Traffic

REFILL: Final = 2
"""A lease is refilled in the background once less than this part of it is left."""

_STRIPES: Final = 16


class Rules(Struct, frozen=True):
    """Bytes that are leased ahead, seconds for which a lease holds, seconds between ticks."""

    ahead: int
    lease_seconds: float
    tick_seconds: float


class TrafficQuota(Protocol):
    """What the registry asks at each download: `Meter`, or `Uncounted` where nothing counts."""

    def spend(self, region: str, account: str, size: int) -> bool:
        """Grant ``size`` bytes at once; False if `grant` must be asked."""

    def grant(self, region: str, account: str, size: int) -> None:
        """Grant ``size`` bytes, or refuse them; blocking."""

    def level(self, region: str, account: str) -> Level:
        """Return how much of the month's traffic was used when this worker last asked."""


class _Budget:
    """What a worker may grant of one account, within one month and until ``until``."""

    __slots__ = ("counted", "left", "level", "limited", "month", "until", "used", "wanted")

    def __init__(self, month: str, until: float, *, limited: bool) -> None:
        self.month: Final = month
        self.limited: Final = limited
        self.until = until
        self.left = 0
        self.counted = 0
        self.level = UNUSED
        self.used = False
        self.wanted = False


class Meter:
    """Grants downloads and counts them. Any thread may call; `spend` never waits for anything.

    ``failed`` is told of what goes wrong in the background. Its thread starts with the first
    download, so that none exists before a fork.
    """

    def __init__(
        self, traffic: Traffic, rules: Rules, clock: Clock, failed: Callable[[Exception], None]
    ) -> None:
        self._traffic: Final = traffic
        self._rules: Final = rules
        self._clock: Final = clock
        self._failed: Final = failed
        self._budgets: Final[dict[Holder, _Budget]] = {}
        self._lock: Final = threading.Lock()
        self._leasing: Final = tuple(threading.Lock() for _ in range(_STRIPES))
        self._wake: Final = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def spend(self, region: str, account: str, size: int) -> bool:
        """Grant ``size`` bytes from what this worker has; False if `grant` must be asked.

        Costs a look-up; for the event loop.
        """
        holder = Holder(region, account)
        with self._lock:
            budget = self._budgets.get(holder)
            if budget is None or self._clock() >= budget.until:
                return False
            return self._take(budget, size)

    def grant(self, region: str, account: str, size: int) -> None:
        """Grant ``size`` bytes, leasing more if that is needed; blocking.

        Raises:
            TrafficExceeded: the account's quota of this month is reached.
        """
        holder = Holder(region, account)
        # One at a time: others that wait for a lease will mostly find this one's.
        with self._leasing_of(holder):
            if not self.spend(region, account, size):
                self._lease(holder, size)
        self._start()

    def level(self, region: str, account: str) -> Level:
        """Return how much of the month's traffic was used when this worker last asked."""
        budget = self._budgets.get(Holder(region, account))
        return UNUSED if budget is None else budget.level

    def refill(self) -> None:
        """Lease more for the accounts whose lease runs low; blocking."""
        for holder, budget in list(self._budgets.items()):
            if budget.wanted:
                with self._leasing_of(holder):
                    self._ask(holder, budget, self._rules.ahead)

    def tick(self) -> None:
        """Write down what was counted, keep leases in use, give idle ones back; blocking."""
        for holder, budget in list(self._budgets.items()):
            with self._leasing_of(holder):
                self._tend(holder, budget)

    def close(self) -> None:
        """Give back and write down all that is left; blocking."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for holder in list(self._budgets):
            self._end(holder)

    def _take(self, budget: _Budget, size: int) -> bool:
        if not budget.limited:
            budget.counted += size
        elif budget.left >= size:
            budget.left -= size
            if budget.left * REFILL < self._rules.ahead and not budget.wanted:
                budget.wanted = True
                self._wake.set()
        else:
            return False
        budget.used = True
        return True

    def _lease(self, holder: Holder, need: int) -> None:
        """Lease ``need`` bytes and some ahead, and spend them.

        Raises:
            TrafficExceeded: the quota is reached.
        """
        now = self._clock()
        old = self._budgets.get(holder)
        if old is not None and now >= old.until:
            self._end(holder)
            old = None
        month = month_of(now)
        lacking = need - old.left if old is not None else need
        size, used, limit = self._traffic.lease(holder, month, lacking, self._rules.ahead)
        if size == 0:
            raise TrafficExceeded.of(Level(used, limit), month, need)
        if old is not None and old.limited is not (size > 0):
            self._end(holder)
        with self._lock:
            budget = self._budgets.setdefault(
                holder, _Budget(month, self._until(month, now), limited=size > 0)
            )
            budget.left += max(size, 0)
            budget.level = Level(used, limit)
            self._take(budget, need)

    def _tend(self, holder: Holder, budget: _Budget) -> None:
        with self._lock:
            used, budget.used = budget.used, False
        now = self._clock()
        if not used or now >= budget.until:
            self._end(holder)
            return
        if not budget.limited:
            self._count(holder, budget)
        # Limits may have changed; whoever is served must not wait for the answer.
        if budget.until - now < self._rules.lease_seconds / REFILL:
            self._ask(holder, budget, 0)

    def _ask(self, holder: Holder, budget: _Budget, ahead: int) -> None:
        """Lease ``ahead`` bytes more, and keep the lease while the account may have one."""
        size, used, limit = self._traffic.lease(holder, budget.month, 0, ahead)
        with self._lock:
            budget.wanted = False
            budget.left += max(size, 0)
            budget.level = Level(used, limit)
            if budget.limited is (size >= 0):
                budget.until = self._until(budget.month, self._clock())
            else:
                budget.until = 0

    def _count(self, holder: Holder, budget: _Budget) -> None:
        with self._lock:
            counted, budget.counted = budget.counted, 0
        try:
            if counted:
                self._traffic.count(holder, budget.month, counted)
        except BaseException:
            with self._lock:
                budget.counted += counted
            raise

    def _end(self, holder: Holder) -> None:
        """Take the budget away, and write down what it counted or had left."""
        with self._lock:
            budget = self._budgets.pop(holder, None)
        if budget is None:
            return
        rest = budget.counted - budget.left
        try:
            if rest:
                self._traffic.count(holder, budget.month, rest)
        except BaseException:
            with self._lock:
                self._budgets.setdefault(holder, budget)
            raise

    def _until(self, month: str, now: float) -> float:
        return min(now + self._rules.lease_seconds, month_start(month_after(month)))

    def _leasing_of(self, holder: Holder) -> threading.Lock:
        return self._leasing[hash(holder) % _STRIPES]

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + self._rules.tick_seconds
        while not self._closed:
            self._wake.wait(max(due - time.monotonic(), 0.0))
            self._wake.clear()
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + self._rules.tick_seconds
                    self.tick()
                self.refill()
            except Exception as error:  # the database may be back at the next tick
                self._failed(error)


class Uncounted:
    """Stands for `Meter` where accounting is off: everything is granted."""

    def spend(self, region: str, account: str, size: int) -> bool:  # noqa: ARG002 - as Meter
        """Grant it."""
        return True

    def grant(self, region: str, account: str, size: int) -> None:
        """Grant it."""

    def level(self, region: str, account: str) -> Level:  # noqa: ARG002 - as Meter
        """Return that nothing is used of no limit."""
        return UNUSED

    def close(self) -> None:
        """Do nothing."""
