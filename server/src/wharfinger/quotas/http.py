"""What successful answers tell of quotas that are nearly used up (``Warning`` headers)."""

from collections.abc import Sequence
from typing import Final, Protocol

from wharfinger.namespaces.service import Owners
from wharfinger.quotas.model import WARN_PERCENT, Level
from wharfinger.web.notices import Notice
from wharfinger_common.catalogue import notices as entries
from wharfinger_common.names import namespace_of


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
        levels = (
            (entries.STORAGE_NEARLY_USED, self._storage.level(region, account)),
            (entries.TRAFFIC_NEARLY_USED, self._traffic.level(region, account)),
        )
        return [
            Notice(entry, {"percent": level.percent})
            for entry, level in levels
            if level.percent > WARN_PERCENT
        ]
