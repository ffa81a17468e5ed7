"""What the rooms tell of themselves, counted: each class implements one room's observer."""

from typing import Final

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable
from wharfinger.database.errors import StorageFull
from wharfinger.jobs.model import Job
from wharfinger.jobs.ports import Observer
from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.checking import BlobRow, Checked, Remedy
from wharfinger.registry.model.collection import PassState, Step, Task
from wharfinger.registry.ports.collection import CollectionObserver
from wharfinger.registry.service.proofs import DamageObserver
from wharfinger.registry.service.scrub import ScrubObserver
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


class CollectionFigures:
    """Implements `registry.ports.collection.CollectionObserver`; tells another one too."""

    def __init__(self, tallies: Tallies, other: CollectionObserver) -> None:
        self._tallies: Final = tallies
        self._other: Final = other

    def stepped(self, task: Task, step: Step) -> None:
        """Count what a step did."""
        labels = (task.value,)
        self._tallies.add(names.COLLECTION_EXAMINED, labels, step.examined)
        self._tallies.add(names.COLLECTED, labels, step.removed)
        self._tallies.add(names.COLLECTED_BYTES, labels, step.size)
        self._other.stepped(task, step)

    def finished(self, task: Task, state: PassState) -> None:
        """Count a pass."""
        self._tallies.add(names.COLLECTION_PASSES, (task.value,))
        self._tallies.set(names.COLLECTION_ENDED, (task.value,), state.ended_at)
        self._other.finished(task, state)

    def undeleted(self, location: str, error: Exception) -> None:
        """Count a failure."""
        self._tallies.add(names.COLLECTION_ERRORS)
        self._other.undeleted(location, error)


class DamageFigures:
    """Implements `registry.service.proofs.DamageObserver`; tells another one too."""

    def __init__(self, tallies: Tallies, other: DamageObserver) -> None:
        self._tallies: Final = tallies
        self._other: Final = other

    def damaged(self, blob: Blob, what: str) -> None:
        """Count a blob."""
        self._tallies.add(names.BLOBS_DAMAGED, ("read",))
        self._other.damaged(blob, what)


class ScrubFigures:
    """Implements `registry.service.scrub.ScrubObserver`; tells another one too."""

    def __init__(self, tallies: Tallies, other: ScrubObserver) -> None:
        self._tallies: Final = tallies
        self._other: Final = other

    def scrubbed(self, row: BlobRow) -> None:
        """Count a blob."""
        self._tallies.add(names.SCRUBBED)
        self._tallies.add(names.SCRUBBED_BYTES, (), row.size)
        self._other.scrubbed(row)

    def found(self, checked: Checked) -> None:
        """Count what was fenced."""
        if checked.remedy is Remedy.FENCED:
            self._tallies.add(names.BLOBS_DAMAGED, ("scrub",))
        self._other.found(checked)

    def ended(self, state: PassState) -> None:
        """Note when a pass ended."""
        self._tallies.set(names.SCRUB_ENDED, (), state.ended_at)
        self._other.ended(state)


class JobFigures:
    """Implements `jobs.ports.Observer`; tells another one too."""

    def __init__(self, tallies: Tallies, other: Observer) -> None:
        self._tallies: Final = tallies
        self._other: Final = other
        self.started: Final = other.started
        self.failed: Final = other.failed

    def ended(self, job: Job, outcome: str, seconds: float) -> None:
        """Count how it ended."""
        self._tallies.add(names.JOBS, (job.kind, outcome))
        self._tallies.observe(names.JOB_SECONDS, (job.kind,), seconds)
        self._other.ended(job, outcome, seconds)
