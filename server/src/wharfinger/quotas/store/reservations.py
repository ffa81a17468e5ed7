"""What uploads under way will need, of accounts that have a limit.

A reservation counts until its lease lapses, whatever became of the process that made it. Rows of
an account grow only while its row of ``account_usage`` is locked, so that two never take the same
room.
"""

from typing import Final

from msgspec.structs import replace
from sqlalchemy import (
    Connection,
    Float,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
)
from sqlalchemy.sql.dml import Insert

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.quotas.model import Account, Claim, Enforcement, Holder, Pushing
from wharfinger.quotas.store import accounts, blobs, pushes
from wharfinger.quotas.tables import upload_reservations

_ROWS: Final = upload_reservations.c
_OWN: Final = _ROWS.upload_id == bindparam("asked_upload", type_=String)
_SUMS: Final = Prepared(
    lambda _: select(
        func.coalesce(func.sum(case((_OWN, 0), else_=_ROWS.size)), 0),
        func.max(case((and_(_OWN, _ROWS.admitted), 1), else_=0)),
    ).where(
        _ROWS.region == bindparam("asked_region"),
        _ROWS.account_id == bindparam("asked_account"),
        _ROWS.leased_until > bindparam("now", type_=Float),
    )
)
_DROP: Final = Prepared(lambda _: delete(upload_reservations).where(_OWN))


def _setting(connection: Connection) -> Insert:
    statement = insert(connection, upload_reservations)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["upload_id"],
        set_={"size": new.size, "admitted": new.admitted, "leased_until": new.leased_until},
    )


_SET: Final = Prepared(_setting)


def others(connection: Connection, holder: Holder, upload: str, now: float) -> tuple[int, bool]:
    """Return the bytes that all others reserved, and whether ``upload`` was let begin."""
    row = _SUMS.first(
        connection,
        asked_region=holder.region,
        asked_account=holder.account,
        asked_upload=upload,
        now=now,
    )
    return (0, False) if row is None else (int(row[0]), bool(row[1]))


def drop(connection: Connection, upload: str) -> None:
    """End the reservation of an upload, if it has one."""
    _DROP.run(connection, asked_upload=upload)


class SqlReservations:
    """Implements ``quotas.ports.Reservations`` over a database.

    ``push_gap`` is the seconds that may lie between uploads of a push that began below a lenient
    limit and goes on beyond it.
    """

    def __init__(self, database: Database, enforcement: Enforcement, push_gap: float) -> None:
        self._database: Final = database
        self._strict: Final = enforcement is Enforcement.STRICT
        self._push_gap: Final = push_gap

    def view(self, holder: Holder, now: float) -> Account:
        """Return the account; see the port."""
        with self._database.reading() as connection:
            return accounts.find(connection, holder, now)

    def begin(
        self, holder: Holder, upload: str, push: Pushing, limit: int, now: float, until: float
    ) -> Claim:
        """Let an upload begin; see the port."""
        with self._database.writing(durable=False) as connection:
            claim = _locked_claim(connection, holder, upload, limit, now)
            if not self._strict:
                claim = self._admit(connection, holder, claim, push, now)
            if claim.may_begin():
                _set(connection, holder, upload, 0, until, admitted=True)
            return claim

    def claim(self, holder: Holder, upload: str, push: Pushing, limit: int, now: float) -> Claim:
        """Return how it stands; see the port."""
        with self._database.reading() as connection:
            stored = accounts.find(connection, holder, now).stored.stored
            claim = Claim(limit, stored, *others(connection, holder, upload, now))
            if self._strict or claim.admitted:
                return claim
            return replace(claim, admitted=pushes.may_go_on(connection, holder, push, now))

    def end_pushes(self, holder: Holder, repository: str) -> None:
        """End what may finish; see the port."""
        with self._database.writing(durable=False) as connection:
            pushes.end(connection, holder, repository)

    def has(self, holder: Holder, digest: str) -> bool:
        """Whether the account has the blob; see the port."""
        with self._database.reading() as connection:
            return blobs.has(connection, holder, digest)

    def cover(
        self, holder: Holder, upload: str, size: int, limit: int, now: float, until: float
    ) -> None:
        """Reserve bytes; see the port."""
        with self._database.writing(durable=False) as connection:
            claim = _locked_claim(connection, holder, upload, limit, now)
            # What cannot succeed must not stand in the way of what can.
            fits = not self._strict or claim.fits(size)
            admitted = claim.admitted or claim.begins()
            _set(connection, holder, upload, size if fits else 0, until, admitted=admitted)

    def drop(self, upload: str) -> None:
        """End a reservation; see the port."""
        with self._database.writing(durable=False) as connection:
            drop(connection, upload)

    def drop_lapsed(self, now: float) -> int:
        """Remove what counts no more; see the port."""
        with self._database.writing(durable=False) as connection:
            pushes.drop_lapsed(connection, now)
            lapsed = delete(upload_reservations).where(_ROWS.leased_until <= now)
            return connection.execute(lapsed).rowcount

    def _admit(
        self, connection: Connection, holder: Holder, claim: Claim, push: Pushing, now: float
    ) -> Claim:
        """Return the claim of an upload that begins as part of a push."""
        until = now + self._push_gap
        if claim.begins():
            pushes.begin(connection, holder, push, until)
            return claim
        return replace(claim, admitted=pushes.go_on(connection, holder, push, now, until))


def _locked_claim(
    connection: Connection, holder: Holder, upload: str, limit: int, now: float
) -> Claim:
    """Return how it stands, and let nothing change it until the unit ends."""
    stored = accounts.lock(connection, holder, now).stored.stored
    return Claim(limit, stored, *others(connection, holder, upload, now))


def _set(
    connection: Connection, holder: Holder, upload: str, size: int, until: float, *, admitted: bool
) -> None:
    _SET.run(
        connection,
        upload_id=upload,
        region=holder.region,
        account_id=holder.account,
        size=size,
        admitted=admitted,
        leased_until=until,
    )
