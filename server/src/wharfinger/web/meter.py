"""What the surface tells of each request, and what is hot enough to count by itself."""

from bisect import bisect_left
from typing import Final, Protocol

from msgspec import Struct
from starlette.types import Scope

UNROUTED: Final = "other"


class Answered(Struct):
    """One request and how it ended.

    ``status`` is 0 where no answer began; ``code`` is the catalogue code of a refusal, else ''.
    ``received`` and ``sent`` are bytes of bodies. ``gone``: the client left before the end.
    ``usual``: a no that every working client meets.
    """

    route: str
    method: str
    status: int
    code: str
    seconds: float
    received: int
    sent: int
    gone: bool = False
    usual: bool = False


class ShortAnswers:
    """Answers of one route and method that need no task.

    Only the event loop's thread counts here, and numbers only grow: any other thread may read
    them at any time without a lock. A call costs less than half a microsecond.
    """

    __slots__ = ("_bounds", "counts", "received", "seconds", "sent", "under_way")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds: Final = bounds
        self.counts: Final = [0] * (len(bounds) + 1)
        self.seconds = 0.0
        self.received = 0
        self.sent = 0
        self.under_way = 0

    def add(self, seconds: float, sent: int, received: int = 0) -> None:
        """Count one success; ``sent`` and ``received`` are bytes of bodies."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds
        self.sent += sent
        self.received += received


class Meter(Protocol):
    """Who counts requests; must not raise."""

    def route(self, scope: Scope) -> str:
        """Return the template of the route that the request took, or `UNROUTED`."""

    def began(self) -> None:
        """A request is being answered."""

    def answered(self, answered: Answered) -> None:
        """It is answered; follows every ``began``."""

    def short(self, route: str, method: str) -> ShortAnswers:
        """Return where the answers of one route that need no task are counted."""


class NoMeter:
    """Counts nothing."""

    def route(self, _scope: Scope) -> str:
        """Return that no route is known."""
        return UNROUTED

    def began(self) -> None:
        """Do nothing."""

    def answered(self, answered: Answered) -> None:
        """Do nothing."""

    def short(self, _route: str, _method: str) -> ShortAnswers:
        """Return a place that nobody reads."""
        return ShortAnswers(())
