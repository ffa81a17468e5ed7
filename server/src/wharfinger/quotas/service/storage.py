"""Storage quotas of uploads: who may begin, what is reserved, whether it may end.

Refusals stand where clients show them: at the request that opens an upload, and at the one that
ends it. What is in the middle of a body is never refused. Accounts without a limit cost nothing
here: that they have none is remembered for some seconds.
"""

import threading
from collections import OrderedDict
from typing import Final, Protocol

from msgspec import Struct

from wharfinger.plans import UNLIMITED, Plans
from wharfinger.quotas.model import (
    UNUSED,
    Enforcement,
    Holder,
    Level,
    Pushing,
    StorageExceeded,
    limits_of,
)
from wharfinger.quotas.ports import Clock, Reservations

REMEMBERED: Final = 10_000
"""Accounts whose limits a worker remembers."""

TRIFLE: Final = 256 << 10
"""Bytes up to which an upload far from the limit reserves nothing beyond its admission."""

FAR: Final = 64 << 20
"""Bytes between what is stored and the limit from which on it is far."""


class Reservation(Protocol):
    """What one upload reserves while it grows. Blocking; one thread at a time may call."""

    def cover(self, size: int) -> None:
        """Reserve ``size`` bytes in all, a step less at most; never refuses."""

    def renew(self) -> None:
        """Keep the reservation while the client is slow."""


class StorageQuota(Protocol):
    """What the registry asks at each upload: `Storage`, or `Unmetered` where nothing counts."""

    def is_open(self, region: str, account: str, push: Pushing) -> bool:
        """Whether `begin` would do nothing, as far as is known from memory; never blocks."""

    def begin(self, region: str, account: str, upload: str, push: Pushing) -> None:
        """Let an upload begin, or refuse it."""

    def reservation(self, region: str, account: str, upload: str) -> Reservation:
        """Return what the upload reserves while it grows."""

    def foresee(
        self, region: str, account: str, upload: str, push: Pushing, blob: tuple[str, int]
    ) -> None:
        """Refuse what the transaction that ends the upload would refuse."""

    def tagged(self, region: str, account: str, repository: str) -> None:
        """End the pushes to a repository: a tag was set."""

    def end(self, region: str, account: str, upload: str) -> None:
        """Forget what an upload reserved that ended without a blob."""


class Rules(Struct, frozen=True):
    """How limits are enforced; the bytes of a step, and the seconds of leases and memory.

    ``push_gap`` is the seconds that may lie between two uploads of one push.
    """

    enforcement: Enforcement
    step: int
    lease_seconds: float
    remember_seconds: float
    push_gap: float


class _Known(Struct, frozen=True):
    level: Level
    until: float


class Storage:
    """Asked by the registry at each upload. Blocking; any thread may call.

    Limits that were changed elsewhere count here after ``remember_seconds`` at the latest; the
    transaction that ends an upload always goes by the present ones.
    """

    def __init__(
        self, reservations: Reservations, plans: Plans, rules: Rules, clock: Clock
    ) -> None:
        self._reservations: Final = reservations
        self._plans: Final = plans
        self._rules: Final = rules
        self._lenient: Final = rules.enforcement is Enforcement.LENIENT
        self._clock: Final = clock
        self._known: Final[OrderedDict[Holder, _Known]] = OrderedDict()
        # Who was let begin a push to a repository of the account last, and when.
        self._begun: Final[OrderedDict[tuple[Holder, str], tuple[str, float]]] = OrderedDict()
        self._lock: Final = threading.Lock()

    def level(self, region: str, account: str) -> Level:
        """Return how much of its storage the account uses; some seconds old at most."""
        return self._view(Holder(region, account))

    def is_open(self, region: str, account: str, push: Pushing) -> bool:
        """Whether an upload of the push may surely begin unasked; for the event loop too."""
        holder, now = Holder(region, account), self._clock()
        level = self._remembered(holder, now)
        if level is None:
            return False
        return level.limit == UNLIMITED or self._goes_on(holder, push, now)

    def begin(self, region: str, account: str, upload: str, push: Pushing) -> None:
        """Let an upload begin, as part of a push.

        Raises:
            StorageExceeded: the account's quota is reached.
        """
        holder = Holder(region, account)
        limit = self._limit(holder)
        now = self._clock()
        if limit == UNLIMITED or self._goes_on(holder, push, now):
            return
        until = now + self._rules.lease_seconds
        claim = self._reservations.begin(holder, upload, push, limit, now, until)
        if not claim.may_begin():
            raise StorageExceeded.of(claim)
        self._note(holder, push, now)

    def reservation(self, region: str, account: str, upload: str) -> Reservation:
        """Return what ``upload`` reserves; nothing is reserved yet."""
        return _Growing(self, Holder(region, account), upload, self._rules.step)

    def foresee(
        self, region: str, account: str, upload: str, push: Pushing, blob: tuple[str, int]
    ) -> None:
        """Refuse what the transaction that ends the upload would refuse, before bytes are placed.

        ``blob`` is its digest and size.

        Raises:
            StorageExceeded: the blob is new to the account, and its quota has no room for it.
        """
        holder, (digest, size) = Holder(region, account), blob
        limit = self._limit(holder)
        if limit == UNLIMITED or self.is_trifle(holder, size):
            return
        if self._reservations.has(holder, digest):
            return
        claim = self._reservations.claim(holder, upload, push, limit, self._clock())
        if not claim.ends(size, self._rules.enforcement):
            raise StorageExceeded.of(claim, size)

    def tagged(self, region: str, account: str, repository: str) -> None:
        """End the pushes to a repository that may finish beyond the limit: a tag was set."""
        with self._lock:
            self._begun.pop((Holder(region, account), repository), None)
        if self._lenient and self._limit(Holder(region, account)) != UNLIMITED:
            self._reservations.end_pushes(Holder(region, account), repository)

    def end(self, region: str, account: str, upload: str) -> None:
        """Forget what an upload reserved that ended without a blob."""
        if self._limit(Holder(region, account)) != UNLIMITED:
            self._reservations.drop(upload)

    def forget(self) -> None:
        """Look limits up again: call it after some were changed."""
        with self._lock:
            self._known.clear()
            self._begun.clear()

    def drop_lapsed(self) -> int:
        """Remove reservations that count no more; return how many there were."""
        return self._reservations.drop_lapsed(self._clock())

    def cover(self, holder: Holder, upload: str, size: int) -> None:
        """Reserve ``size`` bytes in all, if the account has a limit."""
        limit = self._limit(holder)
        if limit != UNLIMITED:
            now = self._clock()
            until = now + self._rules.lease_seconds
            self._reservations.cover(holder, upload, size, limit, now, until)

    def is_trifle(self, holder: Holder, size: int) -> bool:
        """Whether ``size`` bytes may be left to the transaction that ends the upload.

        What is stored may have grown since it was looked up. So of each upload under way as much
        as `TRIFLE` may be unaccounted for; that transaction still counts it, and a strict limit
        still holds.
        """
        return size <= TRIFLE and self._is_far(holder)

    def _is_far(self, holder: Holder) -> bool:
        level = self._view(holder)
        return level.limit - level.used >= FAR

    def _goes_on(self, holder: Holder, push: Pushing, now: float) -> bool:
        """Whether the push was let begin so lately that its next upload may begin unasked.

        It stands written down for `Rules.push_gap`, of which half is left for this upload to end;
        what takes longer, or is no trifle, is asked for with its bytes.
        """
        subject, begun = self._begun.get((holder, push.repository), ("", 0.0))
        lately = subject == push.subject and 0 <= now - begun < self._rules.push_gap / 2
        return lately and self._is_far(holder)

    def _note(self, holder: Holder, push: Pushing, now: float) -> None:
        with self._lock:
            self._begun[holder, push.repository] = push.subject, now
            self._begun.move_to_end((holder, push.repository))
            if len(self._begun) > REMEMBERED:
                self._begun.popitem(last=False)

    def _limit(self, holder: Holder) -> int:
        return self._view(holder).limit

    def _remembered(self, holder: Holder, now: float) -> Level | None:
        known = self._known.get(holder)
        return known.level if known is not None and now < known.until else None

    def _view(self, holder: Holder) -> Level:
        now = self._clock()
        remembered = self._remembered(holder, now)
        if remembered is not None:
            return remembered
        account = self._reservations.view(holder, now)
        limit = limits_of(self._plans.of(account.plan), account.own).storage
        level = Level(account.stored.stored, limit)
        with self._lock:
            self._known[holder] = _Known(level, now + self._rules.remember_seconds)
            self._known.move_to_end(holder)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return level


class _Growing:
    """Implements `Reservation`: what is announced at once, else what came, once a step."""

    def __init__(self, storage: Storage, holder: Holder, upload: str, step: int) -> None:
        self._storage: Final = storage
        self._holder: Final = holder
        self._upload: Final = upload
        self._step: Final = step
        self._covered = 0

    def cover(self, size: int) -> None:
        if self._covered == 0 or size >= self._covered + self._step:
            self._covered = size
            if not self._storage.is_trifle(self._holder, size):
                self._storage.cover(self._holder, self._upload, size)

    def renew(self) -> None:
        if self._covered:
            self._storage.cover(self._holder, self._upload, self._covered)


class Unmetered:
    """Stands for `Storage` where accounting is off: nothing is reserved or refused."""

    def level(self, region: str, account: str) -> Level:  # noqa: ARG002 - the shape of Storage
        """Return that nothing is used of no limit."""
        return UNUSED

    def is_open(self, region: str, account: str, push: Pushing) -> bool:  # noqa: ARG002 - as Storage
        """Return that nothing is limited."""
        return True

    def begin(self, region: str, account: str, upload: str, push: Pushing) -> None:
        """Let it begin."""

    def reservation(self, region: str, account: str, upload: str) -> Reservation:  # noqa: ARG002
        """Return a reservation that keeps nothing."""
        return self

    def foresee(
        self, region: str, account: str, upload: str, push: Pushing, blob: tuple[str, int]
    ) -> None:
        """Let it end."""

    def tagged(self, region: str, account: str, repository: str) -> None:
        """Do nothing."""

    def end(self, region: str, account: str, upload: str) -> None:
        """Do nothing."""

    def cover(self, size: int) -> None:
        """Do nothing."""

    def renew(self) -> None:
        """Do nothing."""

    def forget(self) -> None:
        """Do nothing."""

    def drop_lapsed(self) -> int:
        """Return that there were none."""
        return 0
