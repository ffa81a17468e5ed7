"""Counts requests by route: the `web.meter.Meter` of a worker."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from starlette.types import Scope

from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies
from wharfinger.web.meter import UNROUTED, Answered, ShortAnswers

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SURFACES: Final = (
    ("/v2", "registry"),
    ("/identity/v1/", "identity"),
    ("/identity/", "token"),
    ("/oidc/", "token"),
    ("/oauth/", "token"),
    ("/api/", "control"),
    ("/va/", "control"),
    ("/health/", "health"),
    ("/metrics", "metrics"),
)


class Templated(Protocol):
    """What a route tells of itself."""

    path: str
    path_format: str
    endpoint: Any


class Templates:
    """Finds the template of the route that a request took, after the router found the route."""

    def __init__(self) -> None:
        self._fixed: Final[set[str]] = set()
        self._by_endpoint: Final[dict[Any, str]] = {}

    def add(self, routes: Iterable[Templated]) -> None:
        """Learn the routes of a router; those of the control API tell of themselves."""
        for route in routes:
            self._by_endpoint[route.endpoint] = route.path_format
            if "{" not in route.path:
                self._fixed.add(route.path)

    def __call__(self, scope: Scope) -> str:
        """Return the template, `UNROUTED` where no route fits: never what a client made up."""
        if scope["path"] in self._fixed:
            return str(scope["path"])
        route = scope.get("route")
        if route is not None:
            return str(route.path_format)
        return self._by_endpoint.get(scope.get("endpoint"), UNROUTED)


class RequestMeter:
    """Implements `web.meter.Meter` over tallies; also a sampler of what is under way."""

    def __init__(self, tallies: Tallies, process: str) -> None:
        self.templates: Final = Templates()
        self.route: Final = self.templates
        self._tallies: Final = tallies
        self._process: Final = (process,)
        self._under_way = 0
        self._shorts: Final[list[_Short]] = []

    def began(self) -> None:
        """Count a request that is being answered; by the event loop only."""
        self._under_way += 1

    def answered(self, answered: Answered) -> None:
        """Count an answer; see the port."""
        self._under_way -= 1
        route = answered.route
        method = answered.method if answered.method in METHODS else "other"
        status = "gone" if answered.gone or not answered.status else f"{answered.status // 100}xx"
        place = (surface_of(route), route, method)
        tallies = self._tallies
        tallies.add(names.HTTP_REQUESTS, (*place, status))
        tallies.observe(names.HTTP_SECONDS, place, answered.seconds)
        if answered.received:
            tallies.add(names.HTTP_RECEIVED, (route,), answered.received)
        if answered.sent:
            tallies.add(names.HTTP_SENT, (route,), answered.sent)
        if answered.code:
            tallies.add(names.REFUSALS, (answered.code,))

    def malformed(self, status: int) -> None:
        """Count what the protocol refused."""
        self._tallies.add(names.HTTP_MALFORMED, (str(status),))

    def short(self, route: str, method: str) -> ShortAnswers:
        """Return where plain requests are counted; see the port."""
        short = _Short(route, method)
        self._shorts.append(short)
        return short.answers

    def sample(self) -> None:
        """Take over what was counted outside, and what is under way."""
        short = sum(short.answers.under_way for short in self._shorts)
        self._tallies.set(names.HTTP_UNDER_WAY, self._process, self._under_way + short)
        for each in self._shorts:
            each.carry(self._tallies)


class _Short:
    """Plain requests of one route, and how much of them was carried over already."""

    def __init__(self, route: str, method: str) -> None:
        self.answers: Final = ShortAnswers(names.HTTP_SECONDS.bounds)
        self._place: Final = (surface_of(route), route, method)
        self._counts = list(self.answers.counts)
        self._seconds = 0.0
        self._sent = 0
        self._received = 0

    def carry(self, tallies: Tallies) -> None:
        counts, seconds = list(self.answers.counts), self.answers.seconds
        sent, received = self.answers.sent, self.answers.received
        new = [now - before for now, before in zip(counts, self._counts, strict=True)]
        if total := sum(new):
            tallies.add(names.HTTP_REQUESTS, (*self._place, "2xx"), total)
            tallies.merge(names.HTTP_SECONDS, self._place, new, seconds - self._seconds)
        if sent != self._sent:
            tallies.add(names.HTTP_SENT, (self._place[1],), sent - self._sent)
        if received != self._received:
            tallies.add(names.HTTP_RECEIVED, (self._place[1],), received - self._received)
        self._counts, self._seconds = counts, seconds
        self._sent, self._received = sent, received


def surface_of(route: str) -> str:
    """Return which interface a route template belongs to."""
    return next((name for prefix, name in _SURFACES if route.startswith(prefix)), "other")
