"""Counting what accounts store, within the units of the registry that link and unlink blobs."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from wharfinger.plans import UNLIMITED, Plans
from wharfinger.quotas.model import (
    Claim,
    Enforcement,
    Holder,
    Own,
    Pushing,
    StorageExceeded,
    limits_of,
)
from wharfinger.quotas.ports import Clock
from wharfinger.quotas.store import accounts, blobs, pushes, reservations

# Databases limit the parameters of one statement.
_DIGESTS_PER_STATEMENT: Final = 500


class SqlCharges:
    """Counts in the caller's unit: what it counts stands if the unit does.

    Call it last in a unit, once for all that the unit links or unlinks: from then on the account's
    row is locked (`wharfinger.quotas.store`).
    """

    def __init__(
        self, plans: Plans, enforcement: Enforcement, push_gap: float, clock: Clock
    ) -> None:
        self._plans: Final = plans
        self._enforcement: Final = enforcement
        self._push_gap: Final = push_gap
        self._clock: Final = clock

    def charge(
        self,
        connection: Connection,
        region: str,
        account: str,
        sizes: Mapping[str, int],
        upload: str = "",
        push: tuple[str, str] | None = None,
        *,
        must_fit: bool = False,
    ) -> None:
        """Count a further link of the account to each of the blobs, given with their sizes.

        ``upload`` names the session that ends with it, and with it its reservation, ``push`` the
        repository and subject of the push that it is part of. ``must_fit`` is for what is no
        push: it never exceeds, however limits are enforced.

        Raises:
            StorageExceeded: the account's quota has no room; the unit must not commit.
        """
        holder = Holder(region, account)
        # In one order, so that two units never wait for each other.
        new = [
            size
            for digest, size in sorted(sizes.items())
            if blobs.add(connection, holder, digest, size)
        ]
        if new:
            claim = self._take(connection, holder, sum(new), upload)
            going_on = None if must_fit or push is None else Pushing(*push)
            if claim is not None:
                self._require(connection, holder, claim, sum(new), going_on)
        if upload:
            reservations.drop(connection, upload)

    def release(
        self, connection: Connection, region: str, account: str, counts: Mapping[str, int]
    ) -> None:
        """Count that many links less of the account to each blob; the last one frees its bytes."""
        holder, ordered = Holder(region, account), sorted(counts.items())
        freed = 0
        for start in range(0, len(ordered), _DIGESTS_PER_STATEMENT):
            some = dict(ordered[start : start + _DIGESTS_PER_STATEMENT])
            freed += blobs.remove(connection, holder, some)
        if freed:
            accounts.change_stored(connection, holder, -freed, self._clock())

    def _take(self, connection: Connection, holder: Holder, size: int, upload: str) -> Claim | None:
        """Add ``size`` bytes; return how it stood before, None for an account without a limit."""
        now = self._clock()
        stored, plan, own = accounts.change_stored(connection, holder, size, now)
        limit = limits_of(self._plans.of(plan), Own(storage=own)).storage
        if limit == UNLIMITED:
            return None
        return Claim(limit, stored - size, *reservations.others(connection, holder, upload, now))

    def _require(
        self,
        connection: Connection,
        holder: Holder,
        claim: Claim,
        size: int,
        push: Pushing | None,
    ) -> None:
        """Refuse what the limit has no room for, and what is no part of a push that may go on."""
        lenient = push is not None and self._enforcement is Enforcement.LENIENT
        if push is None or not lenient:
            if not claim.fits(size):
                raise StorageExceeded.of(claim, size)
            return
        now = self._clock()
        until = now + self._push_gap
        if claim.admitted:
            pushes.keep(connection, holder, push, until)
        elif not claim.begins() and not pushes.go_on(connection, holder, push, now, until):
            raise StorageExceeded.of(claim, size)
