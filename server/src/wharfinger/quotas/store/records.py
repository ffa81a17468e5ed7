"""Plans, limits and usage of accounts: what the control API and the operator ask and set."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, select

from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.identity.tables import accounts as identity_accounts
from wharfinger.quotas.model import Account, Holder, Month, Own, Stored, month_of
from wharfinger.quotas.ports import Clock, Line
from wharfinger.quotas.store import accounts, pushes
from wharfinger.quotas.tables import account_usage, usage_months

_MONTHS: Final = usage_months.c


class SqlQuotaStore:
    """Implements ``quotas.ports.Store`` over a database; ``record`` is the audit's writer."""

    def __init__(self, database: Database, record: Recorder, clock: Clock) -> None:
        self._database: Final = database
        self._record: Final = record
        self._clock: Final = clock

    @contextmanager
    def reading(self) -> Iterator["SqlRecords"]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlRecords(connection, self._clock())

    @contextmanager
    def writing(self) -> Iterator["SqlChanges"]:
        """Enter a durable unit."""
        with self._database.writing() as connection:
            yield SqlChanges(connection, self._clock(), self._record)

    def enter_months(self, now: float, limit: int) -> int:
        """Write down ended months; see the port."""
        columns = (account_usage.c.region, account_usage.c.account_id)
        query = select(*columns).where(account_usage.c.month < month_of(now)).limit(limit)
        with self._database.reading() as connection:
            found = [Holder(*row) for row in connection.execute(query)]
        for holder in found:
            with self._database.writing() as connection:
                accounts.enter_month(connection, holder, now)
        return len(found)


class SqlRecords:
    """Implements ``quotas.ports.Records`` over one connection."""

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection: Final = connection
        self._now: Final = now

    def account(self, holder: Holder) -> Account:
        """Return the account; see the port."""
        return accounts.find(self._connection, holder, self._now)

    def months(self, holder: Holder, first: str, last: str) -> Sequence[Month]:
        """Return what is kept of the months; see the port."""
        query = (
            select(_MONTHS.month, _MONTHS.byte_seconds, _MONTHS.traffic)
            .where(
                _MONTHS.region == holder.region,
                _MONTHS.account_id == holder.account,
                _MONTHS.month.between(first, last),
            )
            .order_by(_MONTHS.month)
        )
        return [Month(*row) for row in self._connection.execute(query)]

    def lines(self, month: str) -> Iterator[Line]:
        """Yield what is kept of a month; see the port."""
        query = (
            select(usage_months)
            .where(_MONTHS.month == month)
            .order_by(_MONTHS.region, _MONTHS.account_id)
        )
        for row in self._connection.execute(query):
            holder = Holder(row.region, row.account_id)
            yield Line(holder, Month(row.month, row.byte_seconds, row.traffic))

    def states(self) -> Iterator[tuple[Holder, Account]]:
        """Yield every account that has a row; see the port."""
        query = select(account_usage).order_by(account_usage.c.region, account_usage.c.account_id)
        for row in self._connection.execute(query):
            stored = Stored(row.stored, row.stored_since, row.month, row.byte_seconds)
            own = Own(row.storage_limit, row.traffic_limit)
            yield Holder(row.region, row.account_id), Account(row.plan, own, stored)

    def exists(self, account: str) -> bool:
        """Whether there is such an account; see the port."""
        table = identity_accounts.c
        return self._connection.scalar(select(table.id).where(table.id == account)) is not None


class SqlChanges(SqlRecords):
    """Implements ``quotas.ports.Changes`` over the connection of a writing unit."""

    def __init__(self, connection: Connection, now: float, record: Recorder) -> None:
        super().__init__(connection, now)
        self._record: Final = record

    def lock(self, holder: Holder) -> Account:
        """Return the account, locked; see the port."""
        return accounts.lock(self._connection, holder, self._now)

    def set_plan(self, holder: Holder, plan: str) -> None:
        """Put the account on a plan; see the port."""
        accounts.set_plan(self._connection, holder, plan)
        pushes.end(self._connection, holder)

    def set_own(self, holder: Holder, own: Own) -> None:
        """Set own limits; see the port."""
        accounts.set_own(self._connection, holder, own)
        pushes.end(self._connection, holder)

    def audit(self, caller: Caller, action: str, target: str, detail: Mapping[str, object]) -> None:
        """Leave the audit row; see the port."""
        self._record(
            self._connection,
            at=int(self._now),
            account=caller.account,
            actor=caller.iam_id,
            action=action,
            target=target,
            request_id=caller.request_id,
            detail={"region": caller.region, **detail},
        )
