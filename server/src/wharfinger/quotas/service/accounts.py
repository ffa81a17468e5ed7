"""Plans, limits and what was used: for the account itself, and for operators."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from wharfinger.identity.model import AccountUnknown, Caller, Role
from wharfinger.plans import MEGABYTE, UNLIMITED, Plan, Plans
from wharfinger.quotas.model import (
    Account,
    Holder,
    Limits,
    Month,
    Own,
    PlanUnknown,
    Usage,
    accrue,
    limits_of,
    month_of,
    require_own,
    require_upgrade,
)
from wharfinger.quotas.ports import Access, Changes, Clock, Line, Records, Store

OPERATOR: Final = "operator"
"""The actor that audit rows name for the operator's commands."""

ANY_ROLE: Final = (Role.READER, Role.WRITER, Role.MANAGER)


class Quotas:
    """Blocking; any thread may call. Everything happens in the caller's account and region.

    ``changed`` is called after limits were changed, so that this process goes by the new ones.
    """

    def __init__(
        self, store: Store, access: Access, plans: Plans, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._store: Final = store
        self._access: Final = access
        self._clock: Final = clock
        self._changed: Final = changed
        self.plans: Final = plans

    def plan(self, caller: Caller) -> Plan:
        """Return the account's plan.

        Raises:
            RoleMissing: the caller has no role in the account.
        """
        self._access.require_anywhere(caller, ANY_ROLE)
        with self._store.reading() as records:
            return self.plans.of(records.account(_holder(caller)).plan)

    def upgrade(self, caller: Caller, name: str | None) -> None:
        """Put the account on another plan, which allows at least as much; None changes nothing.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            PlanUnknown, PlanLower: the plan does not exist, or allows less.
        """
        self._access.require(caller, Role.MANAGER)
        if name is None:
            return
        wanted = self._plan(name)
        with self._store.writing() as changes:
            present = self.plans.of(changes.lock(_holder(caller)).plan)
            require_upgrade(present, wanted)
            _set_plan(changes, caller, wanted)
        self._changed()

    def operator_set_plan(self, account: str, region: str, name: str) -> Plan:
        """Put any account on any plan, for the operator's command.

        Raises:
            AccountUnknown: there is no such account.
            PlanUnknown: there is no such plan.
        """
        wanted = self._plan(name)
        caller = Caller(OPERATOR, account, "", operator=True, region=region)
        with self._store.writing() as changes:
            _require_account(changes, account)
            changes.lock(_holder(caller))
            _set_plan(changes, caller, wanted)
        self._changed()
        return wanted

    def quotas(self, caller: Caller) -> tuple[Limits, Usage]:
        """Return the account's limits and what it uses of them now.

        Raises:
            RoleMissing: the caller has no role in the account.
        """
        self._access.require_anywhere(caller, ANY_ROLE)
        holder, month = _holder(caller), month_of(self._clock())
        with self._store.reading() as records:
            account = records.account(holder)
            traffic = sum(one.traffic for one in records.months(holder, month, month))
        return self._limits(account), Usage(account.stored.stored, traffic)

    def set_quotas(
        self, caller: Caller, storage: int | None = None, traffic: int | None = None
    ) -> Limits:
        """Set own limits, in megabytes of 2^20; None keeps one, -1 is unlimited, 0 allows nothing.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            QuotaOverPlan: a limit is above the plan's.
        """
        self._access.require(caller, Role.MANAGER)
        with self._store.writing() as changes:
            account = changes.lock(_holder(caller))
            plan = self.plans.of(account.plan)
            own = Own(
                account.own.storage
                if storage is None
                else require_own(_bytes(storage), plan.storage, "storage"),
                account.own.traffic
                if traffic is None
                else require_own(_bytes(traffic), plan.traffic, "traffic"),
            )
            changes.set_own(_holder(caller), own)
            detail = {"storage": own.storage, "traffic": own.traffic}
            changes.audit(caller, "quota.set", caller.account, detail)
        self._changed()
        return limits_of(plan, own)

    def usage(self, caller: Caller, first: str = "", last: str = "") -> Sequence[Month]:
        """Return what was stored and downloaded in each month of a range, until now.

        Both are included; without any it is the present month. Months in which nothing was are
        left out.

        Raises:
            RoleMissing: the caller has no role in the account.
        """
        self._access.require_anywhere(caller, ANY_ROLE)
        present = month_of(self._clock())
        first, last = first or last or present, last or present
        with self._store.reading() as records:
            return _months(records, _holder(caller), first, last, self._clock())

    def operator_usage(self, month: str) -> Iterator[Line]:
        """Yield every account's month in every region, for the operator's command."""
        with self._store.reading() as records:
            kept = {line.holder: line.month for line in records.lines(month)}
            for holder, account in records.states():
                grown = _accrued(account, self._clock()).get(month, 0.0)
                before = kept.pop(holder, Month(month, 0.0, 0))
                yield Line(holder, Month(month, before.byte_seconds + grown, before.traffic))
            for holder, left in sorted(kept.items()):
                yield Line(holder, left)

    def enter_months(self, batch: int = 100) -> int:
        """Write down the months that ended, of ``batch`` accounts; return of how many it did."""
        return self._store.enter_months(self._clock(), batch)

    def _plan(self, name: str) -> Plan:
        found = self.plans.named(name)
        if found is None:
            titles = ", ".join(plan.title for plan in self.plans)
            raise PlanUnknown(plan=name[:64], plans=titles)
        return found

    def _limits(self, account: Account) -> Limits:
        return limits_of(self.plans.of(account.plan), account.own)


def _months(records: Records, holder: Holder, first: str, last: str, now: float) -> Sequence[Month]:
    found = {one.month: one for one in records.months(holder, first, last)}
    for month, grown in _accrued(records.account(holder), now).items():
        if first <= month <= last:
            before = found.get(month, Month(month, 0.0, 0))
            found[month] = Month(month, before.byte_seconds + grown, before.traffic)
    return [found[month] for month in sorted(found)]


def _accrued(account: Account, now: float) -> dict[str, float]:
    """Return the byte-seconds of the months that are not written down yet, the present one too."""
    ended, present = accrue(account.stored, now)
    return {**ended, present.month: present.byte_seconds}


def _set_plan(changes: Changes, caller: Caller, plan: Plan) -> None:
    changes.set_plan(_holder(caller), plan.name)
    changes.audit(caller, "plan.set", caller.account, {"plan": plan.name})


def _require_account(records: Records, account: str) -> None:
    if not records.exists(account):
        raise AccountUnknown(account=account[:64])


def _holder(caller: Caller) -> Holder:
    return Holder(caller.region, caller.account)


def _bytes(megabytes: int) -> int:
    return UNLIMITED if megabytes == UNLIMITED else megabytes * MEGABYTE
