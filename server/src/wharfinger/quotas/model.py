"""Quotas: limits, months, and what was stored and downloaded in them.

Bytes everywhere, times in Unix seconds. A month is a calendar month in UTC, written YYYY-MM;
daylight saving is nothing to it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from wharfinger.plans import UNLIMITED, Plan, smaller
from wharfinger_common.catalogue import quotas as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

MONTH_PATTERN: Final = "^[0-9]{4}-(0[1-9]|1[0-2])$"
GIGABYTE: Final = 1 << 30
WARN_PERCENT: Final = 80


class StorageExceeded(Refusal):
    """The account has stored all that it may in this region."""

    entry = entries.STORAGE_EXCEEDED

    @classmethod
    def of(cls, claim: "Claim", size: int = 0) -> "StorageExceeded":
        """Return the refusal of ``size`` bytes, with what was compared."""
        values = {
            "limit_bytes": claim.limit,
            "stored_bytes": claim.stored,
            "reserved_bytes": claim.reserved,
            "asked_bytes": size,
        }
        needed = Text("a storage quota that what is stored and being pushed does not reach")
        return cls().because("quota", values, needed)


class TrafficExceeded(Refusal):
    """All that may be downloaded from the account in this month was downloaded."""

    entry = entries.TRAFFIC_EXCEEDED

    @classmethod
    def of(cls, level: "Level", month: str, size: int) -> "TrafficExceeded":
        """Return the refusal of ``size`` bytes, with what was compared."""
        values = {
            "limit_bytes": level.limit,
            "downloaded_bytes": level.used,
            "asked_bytes": size,
            "month": month,
        }
        needed = Text("a traffic quota that the downloads of the month do not reach")
        return cls().because("quota", values, needed)


class PlanUnknown(Refusal):
    """There is no plan of this name."""

    entry = entries.PLAN_UNKNOWN


class PlanLower(Refusal):
    """The plan would allow the account less than the one that it has."""

    entry = entries.PLAN_LOWER


class QuotaOverPlan(Refusal):
    """An account's own limit must not be above its plan's."""

    entry = entries.QUOTA_OVER_PLAN


class Holder(NamedTuple):
    """Who is counted: an account in one region."""

    region: str
    account: str


class Pushing(NamedTuple):
    """Who pushes where: what belongs to the push of one image cannot be told apart further."""

    repository: str
    subject: str


class Limits(Struct, frozen=True):
    """How many bytes an account may store, and have downloaded in a month; -1 for any number."""

    storage: int
    traffic: int


class Own(Struct, frozen=True):
    """The limits that an account set itself, in bytes; None where the plan's alone counts."""

    storage: int | None = None
    traffic: int | None = None


class Usage(Struct, frozen=True):
    """Bytes that an account stores, and that were downloaded from it in the current month."""

    storage: int
    traffic: int


class Stored(Struct, frozen=True):
    """What is kept to know how much was stored for how long.

    ``stored`` bytes since the time ``since``; ``byte_seconds`` up to then, within ``month``.
    """

    stored: int
    since: int
    month: str
    byte_seconds: float


class Account(Struct, frozen=True):
    """An account in a region: its plan, its own limits, and what it stores."""

    plan: str
    own: Own
    stored: Stored


class Month(Struct, frozen=True):
    """One month of an account in a region: byte-seconds stored, bytes downloaded."""

    month: str
    byte_seconds: float
    traffic: int

    @property
    def gigabyte_months(self) -> float:
        """What was stored, as if it had been stored for the whole month: 2^30 bytes are one."""
        length = month_start(month_after(self.month)) - month_start(self.month)
        return self.byte_seconds / length / GIGABYTE


class Enforcement(Enum):
    """How a limit is held: lenient lets finish what began below it, strict never exceeds it."""

    LENIENT = "lenient"
    STRICT = "strict"


class Level(NamedTuple):
    """How much of a limit is used, both in bytes."""

    used: int
    limit: int

    @property
    def percent(self) -> int:
        """Whole percents used; 0 without a limit."""
        if self.limit == UNLIMITED:
            return 0
        return 100 if self.limit == 0 else self.used * 100 // self.limit


UNUSED: Final = Level(0, UNLIMITED)


class Wish(Struct, frozen=True):
    """What a worker wants of an account's traffic, in bytes.

    ``need`` is granted at once, ``held`` leased already; it would like to hold ``ahead``, of which
    ``first`` is what anybody leases who begins.
    """

    need: int
    held: int
    ahead: int
    first: int

    @property
    def lacking(self) -> int:
        """The bytes needed that are not held."""
        return max(self.need - self.held, 0)

    @property
    def idle(self) -> bool:
        """Whether nothing is to be leased, only to be looked up."""
        return max(self.need, self.ahead) <= self.held

    def size(self, room: int) -> int:
        """Return the bytes to lease of ``room`` that is left.

        Who holds ``first`` or less holds a sixteenth of what is left at most, who holds more a
        hundredth. So leases become small near the limit, and workers leave each other some.
        """
        left = max(room, 0) + self.held
        share = max(min(self.first, left // 16), left // 100)
        return max(self.need, min(self.ahead, share), self.held) - self.held


class Claim(Struct, frozen=True):
    """What somebody wants to add to ``stored`` bytes, of which there may be ``limit``.

    ``reserved`` is what others who are under way will need; ``admitted`` tells that this one, or
    the push that it is part of, began while there was room, and has not stood still since.
    """

    limit: int
    stored: int
    reserved: int
    admitted: bool = False

    def begins(self) -> bool:
        """Whether an upload may begin: the limit is not reached by what is there or on its way."""
        return not full(self.limit, self.stored + self.reserved)

    def may_begin(self) -> bool:
        """Whether an upload may begin, also as part of a push that may finish."""
        return self.admitted or self.begins()

    def fits(self, size: int) -> bool:
        """Whether ``size`` bytes can be added without exceeding the limit."""
        return self.limit == UNLIMITED or self.stored + self.reserved + size <= self.limit

    def ends(self, size: int, enforcement: Enforcement) -> bool:
        """Whether an upload of ``size`` bytes may become part of what is stored."""
        if enforcement is Enforcement.STRICT:
            return self.fits(size)
        return self.may_begin()


def limits_of(plan: Plan, own: Own) -> Limits:
    """Return what counts: the tighter of the plan's limits and the account's own."""
    return Limits(
        plan.storage if own.storage is None else smaller(plan.storage, own.storage),
        plan.traffic if own.traffic is None else smaller(plan.traffic, own.traffic),
    )


def full(limit: int, used: int) -> bool:
    """Whether nothing may be added any more; a limit of 0 allows nothing from the start."""
    return limit != UNLIMITED and used >= limit


def room(limit: int, used: int) -> int | None:
    """Return the bytes that may still be added, None for any number."""
    return None if limit == UNLIMITED else max(limit - used, 0)


def require_own(wanted: int, allowed: int, kind: str) -> int | None:
    """Return an own limit of ``wanted`` bytes, None where it is no less than the plan's.

    A limit that only repeats the plan's is none, so that a later plan can give more.

    Raises:
        QuotaOverPlan: ``wanted`` is more than ``allowed``, which the plan allows.
    """
    if smaller(wanted, allowed) != wanted:
        raise QuotaOverPlan(kind=kind, limit=allowed // (1 << 20))
    return None if wanted == allowed else wanted


def require_upgrade(present: Plan, wanted: Plan) -> None:
    """Let pass if ``wanted`` allows at least what ``present`` does.

    Raises:
        PlanLower: it does not.
    """
    pairs = ((present.storage, wanted.storage), (present.traffic, wanted.traffic))
    if any(smaller(before, after) != before for before, after in pairs):
        raise PlanLower(present=present.title, wanted=wanted.title)


def month_of(time: float) -> str:
    """Return the month that a time is in."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m")


def month_start(month: str) -> int:
    """Return the first second of a month."""
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp())


def month_after(month: str) -> str:
    """Return the month that follows."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def accrue(stored: Stored, now: float) -> tuple[Mapping[str, float], Stored]:
    """Return the byte-seconds of the months that ended until ``now``, and how it stands then.

    A clock that went back adds nothing.
    """
    ended: dict[str, float] = {}
    state, at = stored, max(int(now), stored.since)
    for month in _until(stored.month, month_of(at)):
        ends = month_start(month_after(month))
        ended[month] = state.byte_seconds + state.stored * max(ends - state.since, 0)
        state = Stored(state.stored, max(ends, state.since), month_after(month), 0.0)
    grown = state.byte_seconds + state.stored * (at - state.since)
    return ended, replace(state, since=at, byte_seconds=grown)


def _until(first: str, end: str) -> Iterator[str]:
    """Yield the months from ``first`` on, before ``end``."""
    while first < end:
        yield first
        first = month_after(first)
