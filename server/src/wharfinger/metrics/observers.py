"""What the rooms tell of themselves, counted: each class implements one room's observer.

Those of background work are in `upkeep`, which HTTP workers do not load.
"""

from typing import Final

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable
from wharfinger.database.errors import StorageFull
from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.service.proofs import DamageObserver
from wharfinger_common.refusals import Refusal

_STORE_ERRORS: Final = {
    StorageFull: "full",
    StoreUnavailable: "unavailable",
    BlobMissing: "missing",
}


class StoreFigures:
    """Implements `blobstore.observed.StoreObserver`."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies: Final = tallies

    def took(self, operation: str, seconds: float) -> None:
        """Count a call."""
        self._tallies.observe(names.STORE_SECONDS, (operation,), seconds)

    def failed(self, operation: str, error: Exception) -> None:
        """Count a failure."""
        told = _STORE_ERRORS.get(type(error), "other")
        self._tallies.add(names.STORE_ERRORS, (operation, told))


class DatabaseFigures:
    """Implements `database.unit.DatabaseObserver`."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies: Final = tallies

    def committed(self, units: int, seconds: float, *, durable: bool) -> None:
        """Count a commit."""
        labels = ("yes" if durable else "no",)
        self._tallies.add(names.DATABASE_COMMITS, labels)
        self._tallies.add(names.DATABASE_UNITS, labels, units)
        self._tallies.observe(names.DATABASE_SECONDS, labels, seconds)

    def failed(self, refusal: Refusal) -> None:
        """Count a failure."""
        told = "full" if isinstance(refusal, StorageFull) else "unavailable"
        self._tallies.add(names.DATABASE_ERRORS, (told,))


class DamageFigures:
    """Implements `registry.service.proofs.DamageObserver`; tells another one too."""

    def __init__(self, tallies: Tallies, other: DamageObserver) -> None:
        self._tallies: Final = tallies
        self._other: Final = other

    def damaged(self, blob: Blob, what: str) -> None:
        """Count a blob."""
        self._tallies.add(names.BLOBS_DAMAGED, ("read",))
        self._other.damaged(blob, what)
