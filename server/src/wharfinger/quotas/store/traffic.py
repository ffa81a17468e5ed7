"""The bytes downloaded in a month: leased to workers, counted, given back."""

from typing import Final

from sqlalchemy import select

from wharfinger.database.unit import Database
from wharfinger.plans import UNLIMITED, Plans
from wharfinger.quotas.model import Enforcement, Holder, limits_of
from wharfinger.quotas.ports import Clock
from wharfinger.quotas.store import accounts
from wharfinger.quotas.tables import usage_months

_SHARE: Final = 16
"""No lease takes more than this part of the limit ahead, so that workers leave each other some."""


class SqlTraffic:
    """Implements ``quotas.ports.Traffic`` over a database."""

    def __init__(
        self, database: Database, plans: Plans, enforcement: Enforcement, clock: Clock
    ) -> None:
        self._database: Final = database
        self._plans: Final = plans
        self._strict: Final = enforcement is Enforcement.STRICT
        self._clock: Final = clock

    def lease(self, holder: Holder, month: str, need: int, ahead: int) -> tuple[int, int, int]:
        """Count bytes that are about to be granted; see the port."""
        with self._database.reading() as connection:
            account = accounts.find(connection, holder, self._clock())
            limit = limits_of(self._plans.of(account.plan), account.own).traffic
            used = connection.scalar(_traffic(holder, month)) or 0
        # Most answers need no lock: there is no limit, or it is reached.
        if limit == UNLIMITED or not self._allows(limit, used, need):
            return (-1 if limit == UNLIMITED else 0), used, limit
        with self._database.writing() as connection:
            accounts.lock(connection, holder, self._clock())
            used = connection.scalar(_traffic(holder, month)) or 0
            if not self._allows(limit, used, need):
                return 0, used, limit
            size = max(need, min(ahead, limit // _SHARE, limit - used))
            used = accounts.add_to_month(connection, holder, month, traffic=size)
        return size, used, limit

    def count(self, holder: Holder, month: str, size: int) -> None:
        """Count bytes; see the port."""
        with self._database.writing() as connection:
            accounts.add_to_month(connection, holder, month, traffic=size)

    def _allows(self, limit: int, used: int, need: int) -> bool:
        return used + need <= limit if self._strict else used < limit


def _traffic(holder: Holder, month: str):  # type: ignore[no-untyped-def]
    return select(usage_months.c.traffic).where(
        usage_months.c.region == holder.region,
        usage_months.c.account_id == holder.account,
        usage_months.c.month == month,
    )
