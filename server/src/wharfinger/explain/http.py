"""Which answers of the service are remembered, and what of them (``web.witness.Witness``)."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.types import Scope

from wharfinger.explain.model import MAX_ITEMS, Refused, clean, frozen, frozen_rule
from wharfinger.explain.ports import Clock
from wharfinger.identity.model import ANONYMOUS
from wharfinger.web.witness import Presented
from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

SIGN_IN: Final = frozenset({"/identity/token", "/oidc/token", "/oauth/token"})
"""Where credentials come in the body or in Basic authentication, and are refused as such."""

_SIGN_IN_CODES: Final = frozenset(
    {"WHF0203", "WHF0204", "WHF0205", "WHF0209", "WHF0210", "WHF0211", "WHF0212", "WHF0227"}
)
_PASSING: Final = frozenset({503, 408})
"""Statuses of what a moment's wait cures; remembering a flood would feed it."""


class HttpWitness:
    """Remembers refusals of presented credentials; see `is_worth`."""

    def __init__(self, note: Callable[[Refused], None], clock: Clock) -> None:
        self._note: Final = note
        self._clock: Final = clock

    def saw(self, scope: Scope, refusal: Refusal, presented: Presented) -> None:
        """Remember the refusal if it is worth it; never blocks, never raises."""
        if is_worth(scope, refusal, presented):
            self._note(_refused(scope, refusal, presented, int(self._clock())))


def is_worth(scope: Scope, refusal: Refusal, presented: Presented) -> bool:
    """Whether the refusal of this request is remembered.

    It is where credentials were presented and refused, or what they asked for was. It is not for
    challenges to who presented none, for what passes by itself, and for what clients look up and
    do not find: a push asks for every layer before it sends it. A HEAD that hides a denial
    behind a 404 is remembered as the denial that it is.
    """
    status = refusal.entry.status
    if status in _PASSING or not _has_credentials(scope, refusal, presented):
        return False
    looked_up = scope["method"] in {"GET", "HEAD"} and status == 404
    return not looked_up or refusal.entry.code == entries.NOT_SHOWN.code


def _has_credentials(scope: Scope, refusal: Refusal, presented: Presented) -> bool:
    if presented.claims is not None:
        return presented.claims.subject != ANONYMOUS
    if scope["path"] in SIGN_IN:
        return refusal.entry.code in _SIGN_IN_CODES
    return any(name == b"authorization" for name, _ in scope["headers"])


def _refused(scope: Scope, refusal: Refusal, presented: Presented, at: int) -> Refused:
    claims = presented.claims
    return Refused(
        request_id=scope["request_id"],
        at=at,
        region=presented.region,
        method=scope["method"],
        path=clean(scope["path"]),
        names=_names(presented.names),
        code=refusal.entry.code,
        facts={**frozen(refusal.items[0]), **_more(refusal)},
        subject=claims.subject if claims else "",
        account=presented.account or (claims.account if claims else ""),
        credential=claims.credential if claims else "",
        owner=presented.account,
        rule=frozen_rule(refusal.rule),
    )


def _names(names: Mapping[str, object]) -> dict[str, str]:
    return {name: clean(str(value)) for name, value in names.items()}


def _more(refusal: Refusal) -> dict[str, object]:
    """Return the other things that one answer refused, a few of them."""
    others = [frozen(each) for each in refusal.items[1:MAX_ITEMS]]
    return {"others": others} if others else {}
