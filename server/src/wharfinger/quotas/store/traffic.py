"""The bytes downloaded in a month: leased to workers, counted, given back."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.plans import UNLIMITED, Plans
from wharfinger.quotas.model import Account, Enforcement, Holder, Level, Wish, limits_of
from wharfinger.quotas.ports import Clock, Leased
from wharfinger.quotas.store import accounts
from wharfinger.quotas.tables import usage_months

_TRAFFIC: Final = Prepared(
    lambda _: select(usage_months.c.traffic).where(
        usage_months.c.region == bindparam("region"),
        usage_months.c.account_id == bindparam("account"),
        usage_months.c.month == bindparam("asked_month"),
    )
)


class SqlTraffic:
    """Implements ``quotas.ports.Traffic`` over a database."""

    def __init__(
        self, database: Database, plans: Plans, enforcement: Enforcement, clock: Clock
    ) -> None:
        self._database: Final = database
        self._plans: Final = plans
        self._strict: Final = enforcement is Enforcement.STRICT
        self._clock: Final = clock

    def lease(self, holder: Holder, month: str, wish: Wish) -> Leased:
        """Count bytes that are about to be granted; see the port."""
        # Where there is no limit, or it is reached, no lock is needed; who holds a lease knows.
        if wish.idle or not wish.held:
            with self._database.reading() as connection:
                account = accounts.find(connection, holder, self._clock())
                level = self._level(connection, holder, month, account)
            if wish.idle or level.limit == UNLIMITED or not self._allows(level, wish):
                return Leased(0, level, self._allows(level, wish))
        with self._database.writing() as connection:
            account = accounts.lock(connection, holder, self._clock())
            level = self._level(connection, holder, month, account)
            if level.limit == UNLIMITED or not self._allows(level, wish):
                return Leased(0, level, self._allows(level, wish))
            size = wish.size(level.limit - level.used)
            if size:
                used = accounts.add_to_month(connection, holder, month, traffic=size)
                level = Level(used, level.limit)
        return Leased(size, level)

    def count(self, holder: Holder, month: str, size: int) -> None:
        """Count bytes; see the port."""
        with self._database.writing() as connection:
            accounts.add_to_month(connection, holder, month, traffic=size)

    def _level(self, connection: Connection, holder: Holder, month: str, account: Account) -> Level:
        limit = limits_of(self._plans.of(account.plan), account.own).traffic
        row = _TRAFFIC.first(
            connection, region=holder.region, account=holder.account, asked_month=month
        )
        return Level(0 if row is None else int(row[0]), limit)

    def _allows(self, level: Level, wish: Wish) -> bool:
        if level.limit == UNLIMITED:
            return True
        if self._strict:
            return level.used + wish.lacking <= level.limit
        return level.used < level.limit
