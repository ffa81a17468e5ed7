"""What successful answers tell of quotas that are nearly used up (``Warning`` headers)."""

from collections.abc import Sequence
from typing import Final, Protocol

from wharfinger.identity.model import Claims
from wharfinger.namespaces.service import Owners
from wharfinger.quotas.model import WARN_PERCENT, Level
from wharfinger.web.notices import Notice
from wharfinger_common.catalogue import notices as entries
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Entry


class Levels(Protocol):
    """How much an account uses of a quota, as this worker knows it."""

    def level(self, region: str, account: str) -> Level:
        """Return used and limit, some seconds old at most."""


class QuotaAdviser:
    """Implements ``web.notices.Adviser``: warns who pushed of the owner's quotas above 80 %."""

    def __init__(self, owners: Owners, storage: Levels, traffic: Levels) -> None:
        self._owners: Final = owners
        self._storage: Final = storage
        self._traffic: Final = traffic

    def advise(self, region: str, repository: str) -> Sequence[Notice]:
        """Return a notice for each quota that is nearly used up; a look-up or two."""
        account = self._owners.owner(region, namespace_of(repository))
        if account is None:
            return ()
        return (
            *nearly_used(entries.STORAGE_NEARLY_USED, self._storage.level(region, account)),
            *nearly_used(entries.TRAFFIC_NEARLY_USED, self._traffic.level(region, account)),
        )


def nearly_used(entry: Entry, level: Level) -> tuple[Notice, ...]:
    """Return the notice of a quota that is used above 80 %, if it is."""
    if level.percent <= WARN_PERCENT:
        return ()
    return (Notice(entry, {"percent": level.percent}),)


def download_notices(traffic: Levels, claims: Claims, account: str) -> tuple[Notice, ...]:
    """Return what to tell with a download that counts for ``account``: its own people only.

    From memory; for the event loop too.
    """
    if claims.account != account:
        return ()
    return nearly_used(entries.TRAFFIC_NEARLY_USED, traffic.level(claims.region, account))
