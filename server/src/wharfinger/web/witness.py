"""Who is told of refused requests, and what the gate learned of them before."""

from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct, field
from starlette.requests import HTTPConnection
from starlette.types import Scope

from wharfinger.identity.model import Claims
from wharfinger.web.notices import Notice
from wharfinger_common.refusals import Refusal

_KEY: Final = "wharfinger.presented"


class Presented(Struct):
    """What is known of who makes a request: filled in step by step, read when it is refused.

    ``account`` is the one that a control call acts in, once the caller was found to be in it;
    ``names`` are what the path names; ``notices`` go with the answer if it is a success.
    """

    claims: Claims | None = None
    region: str = ""
    account: str = ""
    names: Mapping[str, object] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    @classmethod
    def of(cls, scope: Scope) -> "Presented":
        """Return what is known of the request; every copy of the scope shares it."""
        found: Presented = scope.setdefault(_KEY, cls())
        return found


def notice(request: HTTPConnection, *notices: Notice) -> None:
    """Tell something besides with the answer to the request, if it is a success."""
    Presented.of(request.scope).notices += notices


class Witness(Protocol):
    """Is told of each refused request, after it was answered."""

    def saw(self, scope: Scope, refusal: Refusal, presented: Presented) -> None:
        """Take note, or not; must neither block nor raise."""


class Blind:
    """A witness that sees nothing."""

    def saw(self, scope: Scope, refusal: Refusal, presented: Presented) -> None:
        """Take no note."""


def present(request: HTTPConnection, claims: Claims, region: str = "") -> None:
    """Note whose token the request carries, valid or not any more, and what its path names."""
    presented = Presented.of(request.scope)
    presented.claims, presented.region = claims, region or claims.region
    presented.names = request.path_params
