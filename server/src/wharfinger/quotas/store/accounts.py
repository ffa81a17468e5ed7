"""The row of an account in a region: found, added, locked, and brought to the present month."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Double,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert

from wharfinger.database.dialect import insert
from wharfinger.database.metadata import Seconds
from wharfinger.database.prepared import Prepared
from wharfinger.identity.tables import accounts
from wharfinger.quotas.model import Account, Holder, Own, Stored, accrue, month_of
from wharfinger.quotas.tables import account_usage, usage_months

_USAGE: Final = account_usage.c
_HOLDER: Final = and_(
    _USAGE.region == bindparam("asked_region"), _USAGE.account_id == bindparam("asked_account")
)
_COLUMNS: Final = (
    _USAGE.plan,
    _USAGE.storage_limit,
    _USAGE.traffic_limit,
    _USAGE.stored,
    _USAGE.stored_since,
    _USAGE.month,
    _USAGE.byte_seconds,
)
_FIND: Final = Prepared(lambda _: select(*_COLUMNS).where(_HOLDER))
_LOCK: Final = Prepared(lambda _: select(*_COLUMNS).where(_HOLDER).with_for_update())
_FIRST_PLAN: Final = Prepared(
    lambda _: select(accounts.c.plan).where(accounts.c.id == bindparam("asked_account"))
)
_NOW: Final = bindparam("now", type_=Seconds)
_LATER: Final = _USAGE.stored_since < _NOW
_GROW: Final = Prepared(
    lambda _: (
        update(account_usage)
        .where(_HOLDER, _USAGE.month == bindparam("asked_month"))
        .values(
            stored=_USAGE.stored + bindparam("delta", type_=BigInteger),
            # What was stored until now, for as long as it was; no clock going back takes any away.
            byte_seconds=_USAGE.byte_seconds
            + cast(_USAGE.stored, Double)
            * case((_LATER, _NOW - _USAGE.stored_since), else_=literal(0)),
            stored_since=case((_LATER, _NOW), else_=_USAGE.stored_since),
        )
        .returning(_USAGE.stored, _USAGE.plan, _USAGE.storage_limit)
    )
)


def find(connection: Connection, holder: Holder, now: float) -> Account:
    """Return the account as its row says; as it will be added, if it has none yet."""
    row = _FIND.first(connection, **_key(holder))
    if row is not None:
        return _account(row)
    plan = _FIRST_PLAN.first(connection, asked_account=holder.account)
    return Account(str(plan[0]) if plan else "", Own(), Stored(0, int(now), month_of(now), 0.0))


def lock(connection: Connection, holder: Holder, now: float) -> Account:
    """Return the account, its row present and kept from others until the unit ends."""
    row = _LOCK.first(connection, **_key(holder))
    if row is None:
        _ADD.run(connection, **_key(holder), now=int(now), this_month=month_of(now))
        row = _LOCK.first(connection, **_key(holder))
    if row is None:
        raise RuntimeError("a row that was just added is not there")
    return _account(row)


def change_stored(
    connection: Connection, holder: Holder, delta: int, now: float
) -> tuple[int, str, int | None]:
    """Add ``delta`` bytes, possibly less than 0, to what the account stores, and lock its row.

    Returns the bytes now stored, the plan, and the account's own limit. One statement, save for
    the first change in a month.
    """
    asked = {**_key(holder), "delta": delta, "now": int(now), "asked_month": month_of(now)}
    row = _GROW.first(connection, **asked)
    if row is None:
        month = enter_month(connection, holder, now)
        row = _GROW.first(connection, **{**asked, "asked_month": month})
    if row is None:
        raise RuntimeError("a row that was just locked is not there")
    return row[0], row[1], row[2]


def enter_month(connection: Connection, holder: Holder, now: float) -> str:
    """Write down the months that ended since the row was last changed; return its month now.

    That is a later one than the clock's where another machine's clock is ahead.
    """
    state = lock(connection, holder, now).stored
    ended, present = accrue(state, now)
    if not ended:
        return state.month
    for month, byte_seconds in ended.items():
        add_to_month(connection, holder, month, byte_seconds=byte_seconds)
    values = {
        "stored_since": present.since,
        "month": present.month,
        "byte_seconds": present.byte_seconds,
    }
    connection.execute(update(account_usage).where(_is(holder)).values(values))
    return present.month


def add_to_month(
    connection: Connection,
    holder: Holder,
    month: str,
    *,
    byte_seconds: float = 0.0,
    traffic: int = 0,
) -> int:
    """Add to what is kept of a month; return the traffic that it has then, in bytes."""
    row = _ADD_TO_MONTH.first(
        connection,
        region=holder.region,
        account_id=holder.account,
        month=month,
        byte_seconds=byte_seconds,
        traffic=traffic,
    )
    return 0 if row is None else int(row[0])


def set_plan(connection: Connection, holder: Holder, plan: str) -> None:
    """Put the account, whose row is locked, on a plan."""
    connection.execute(update(account_usage).where(_is(holder)).values(plan=plan))


def set_own(connection: Connection, holder: Holder, own: Own) -> None:
    """Set the own limits of the account, whose row is locked."""
    values = {"storage_limit": own.storage, "traffic_limit": own.traffic}
    connection.execute(update(account_usage).where(_is(holder)).values(values))


def _key(holder: Holder) -> Mapping[str, str]:
    return {"asked_region": holder.region, "asked_account": holder.account}


def _is(holder: Holder) -> Any:
    return and_(_USAGE.region == holder.region, _USAGE.account_id == holder.account)


def _adding(connection: Connection) -> Insert:
    """Add the row, on the plan that the account itself begins with."""
    first = select(accounts.c.plan).where(accounts.c.id == bindparam("asked_account"))
    text, number = String(), Seconds
    values = select(
        bindparam("asked_region", type_=text),
        bindparam("asked_account", type_=text),
        func.coalesce(first.scalar_subquery(), ""),
        null(),
        null(),
        literal(0),
        bindparam("now", type_=number),
        bindparam("this_month", type_=text),
        literal(0.0),
    )
    names = [column.name for column in account_usage.columns]
    # SQLite reads ON CONFLICT after a SELECT as a join unless that has a WHERE.
    statement = insert(connection, account_usage).from_select(names, values.where(literal(1) == 1))
    return statement.on_conflict_do_nothing()


def _adding_to_month(connection: Connection) -> Insert:
    statement = insert(connection, usage_months)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["region", "account_id", "month"],
        set_={
            "byte_seconds": usage_months.c.byte_seconds + new.byte_seconds,
            "traffic": usage_months.c.traffic + new.traffic,
        },
    ).returning(usage_months.c.traffic)


_ADD: Final = Prepared(_adding)
_ADD_TO_MONTH: Final = Prepared(_adding_to_month)


def _account(row: tuple[Any, ...]) -> Account:
    plan, storage, traffic, stored, since, month, byte_seconds = row
    return Account(plan, Own(storage, traffic), Stored(stored, since, month, byte_seconds))
