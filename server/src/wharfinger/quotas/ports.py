"""What quotas need from outside: accounts, reservations, traffic, access and time."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from msgspec import Struct

from wharfinger.identity.model import Caller, Role
from wharfinger.plans import UNLIMITED
from wharfinger.quotas.model import Account, Claim, Holder, Level, Month, Own, Pushing, Wish

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""


class Leased(NamedTuple):
    """What came of a wish for traffic: bytes leased besides those held, and how it stands then."""

    size: int
    level: Level
    allowed: bool = True

    @property
    def limited(self) -> bool:
        """Whether the account has a limit, so that only what is leased may be granted."""
        return self.level.limit != UNLIMITED


class Line(Struct, frozen=True):
    """One line of what is counted: an account in a region in a month."""

    holder: Holder
    month: Month


class Records(Protocol):
    """One consistent view of what is counted."""

    def account(self, holder: Holder) -> Account:
        """Return the account, as it will be added if it has no row yet."""

    def months(self, holder: Holder, first: str, last: str) -> Sequence[Month]:
        """Return what is kept of the months, both inclusive, in order."""

    def lines(self, month: str) -> Iterator[Line]:
        """Yield what is kept of a month, by region and account."""

    def states(self) -> Iterator[tuple[Holder, Account]]:
        """Yield every account that has a row, by region and id."""

    def exists(self, account: str) -> bool:
        """Whether there is such an account."""


class Changes(Records, Protocol):
    """A writing unit: all of it happens, or nothing."""

    def lock(self, holder: Holder) -> Account:
        """Return the account and keep its row as it is until the unit ends."""

    def set_plan(self, holder: Holder, plan: str) -> None:
        """Put the locked account on a plan; pushes begun before may no longer exceed it."""

    def set_own(self, holder: Holder, own: Own) -> None:
        """Set the own limits of the locked account; pushes begun before may not exceed them."""

    def audit(self, caller: Caller, action: str, target: str, detail: Mapping[str, object]) -> None:
        """Leave the audit row of what this unit does."""


class Store(Protocol):
    """Where accounts' plans, limits and usage live. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[Records]:
        """Enter a consistent view."""

    def writing(self) -> AbstractContextManager[Changes]:
        """Enter a durable unit; it commits on leaving, or rolls back when an exception leaves."""

    def enter_months(self, now: float, limit: int) -> int:
        """Write down the ended months of ``limit`` accounts at most; return of how many it did."""


class Access(Protocol):
    """Identity's access policies."""

    def require(
        self, caller: Caller, role: Role | Collection[Role], namespace: str | None = None
    ) -> None:
        """Refuse a caller without the role on its account, or a namespace of it."""

    def require_anywhere(self, caller: Caller, role: Role | Collection[Role]) -> None:
        """Refuse a caller without any of the roles on anything in its account."""


class Reservations(Protocol):
    """What uploads of limited accounts reserve. Each method is one transaction.

    A reservation counts until ``until`` (Unix seconds).
    """

    def view(self, holder: Holder, now: float) -> Account:
        """Return the account."""

    def begin(
        self, holder: Holder, upload: str, push: Pushing, limit: int, now: float, until: float
    ) -> Claim:
        """Let an upload begin, with nothing reserved yet, if the claim returned allows it."""

    def claim(self, holder: Holder, upload: str, push: Pushing, limit: int, now: float) -> Claim:
        """Return how it stands for the upload ('' for none)."""

    def end_pushes(self, holder: Holder, repository: str) -> None:
        """End what may finish beyond the limit in a repository: a tag was set there."""

    def has(self, holder: Holder, digest: str) -> bool:
        """Whether the account has the blob already."""

    def cover(
        self, holder: Holder, upload: str, size: int, limit: int, now: float, until: float
    ) -> None:
        """Reserve ``size`` bytes in all; nothing where they do not fit into a strict limit."""

    def drop(self, upload: str) -> None:
        """End a reservation."""

    def drop_lapsed(self, now: float) -> int:
        """Remove the reservations that count no more; return how many there were."""


class Traffic(Protocol):
    """The bytes downloaded in a month, in the database. Each method is one transaction."""

    def lease(self, holder: Holder, month: str, wish: Wish) -> Leased:
        """Count what ``wish`` needs and some ahead, if the limit allows what it needs.

        Without a limit nothing is counted.
        """

    def count(self, holder: Holder, month: str, size: int) -> None:
        """Count ``size`` bytes; less than 0 gives back what a lease did not need."""
