"""Traffic of downloads: workers lease bytes from the database and spend them by themselves.

While a lease lasts, granting a download costs a look-up. Leases are counted as downloaded when
they are taken, and what is left of one is given back once the account stood still for a tick or
the worker ends; so a worker that crashes leaves its open leases counted, and loses of accounts
without a limit what it counted since its last tick. How much is leased ahead follows the demand
(`quotas.service.budget`), and near a limit what is left of it (`quotas.store.traffic`).
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
    Wish,
    month_after,
    month_of,
    month_start,
)
from wharfinger.quotas.ports import Clock, Traffic
from wharfinger.quotas.service.budget import Budget, Pace

_ANEW: Final = 2
"""Limits are asked for anew once less than this part of a lease's seconds is left."""

_STRIPES: Final = 16


class Rules(Struct, frozen=True):
    """Bytes that are leased ahead at first and at most, the seconds of leases and between ticks."""

    first: int
    most: int
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
        self._budgets: Final[dict[tuple[str, str], Budget]] = {}
        self._lock: Final = threading.Lock()
        self._leasing: Final = tuple(threading.Lock() for _ in range(_STRIPES))
        self._wake: Final = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def spend(self, region: str, account: str, size: int) -> bool:
        """Grant ``size`` bytes from what this worker has; False if `grant` must be asked.

        Costs a look-up; for the event loop.
        """
        with self._lock:
            # A plain tuple equals a Holder, and costs a fifth of it.
            budget = self._budgets.get((region, account))
            if budget is None or self._clock() >= budget.until or not budget.take(size):
                return False
            if budget.wanted or not budget.low:
                return True
            budget.wanted = True
        self._wake.set()
        return True

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
        budget = self._budgets.get((region, account))
        return UNUSED if budget is None else budget.level

    def refill(self) -> None:
        """Lease more for the accounts whose lease runs low; blocking."""
        for holder in self._holders():
            with self._leasing_of(holder):
                # Looked up under the lock: what is leased for one that ended would be lost.
                budget = self._budgets.get(holder)
                if budget is not None and budget.wanted:
                    budget.pace.leased()
                    self._ask(holder, budget, budget.pace.ahead)

    def tick(self) -> None:
        """Write down what was counted, keep leases in use, give idle ones back; blocking."""
        for holder in self._holders():
            with self._leasing_of(holder):
                budget = self._budgets.get(holder)
                if budget is not None:
                    self._tend(holder, budget)

    def close(self) -> None:
        """Give back and write down all that is left; blocking."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for holder in self._holders():
            self._end(holder)

    def _holders(self) -> list[Holder]:
        return [Holder(*key) for key in list(self._budgets)]

    def _lease(self, holder: Holder, need: int) -> None:
        """Lease ``need`` bytes and some ahead, and spend them.

        Raises:
            TrafficExceeded: the quota is reached.
        """
        now = self._clock()
        old = self._budgets.get(holder)
        pace = Pace(self._rules.first, self._rules.most) if old is None else old.pace
        pace.leased()
        if old is not None and now >= old.until:
            self._end(holder)
            old = None
        month = month_of(now)
        wish = Wish(need, 0 if old is None else old.left, pace.ahead, self._rules.first)
        leased = self._traffic.lease(holder, month, wish)
        if not leased.allowed:
            raise TrafficExceeded.of(leased.level, month, need)
        if old is not None and old.limited is not leased.limited:
            self._end(holder)
        new = Budget(month, self._until(month, now), pace, limited=leased.limited)
        with self._lock:
            budget = self._budgets.setdefault(holder, new)
            budget.add(leased)
            budget.take(need)

    def _tend(self, holder: Holder, budget: Budget) -> None:
        with self._lock:
            spent = budget.spent()
        now = self._clock()
        if not spent or now >= budget.until:
            self._end(holder)
            return
        budget.pace.ticked(spent)
        self._count(holder, budget)
        # Limits may have changed; whoever is served must not wait for the answer.
        if budget.until - now < self._rules.lease_seconds / _ANEW:
            self._ask(holder, budget, 0)

    def _ask(self, holder: Holder, budget: Budget, ahead: int) -> None:
        """Lease so that ``ahead`` bytes are held, and keep the lease while the account may."""
        wish = Wish(0, budget.left, ahead, self._rules.first)
        leased = self._traffic.lease(holder, budget.month, wish)
        with self._lock:
            budget.add(leased)
            if budget.limited is leased.limited:
                budget.until = self._until(budget.month, self._clock())
            else:
                budget.until = 0

    def _count(self, holder: Holder, budget: Budget) -> None:
        """Write down what was counted, or give back what is leased above the pace."""
        with self._lock:
            due = budget.due()
        try:
            if due:
                self._traffic.count(holder, budget.month, due)
        except BaseException:
            with self._lock:
                budget.undo(due)
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
