"""What background work tells of itself, counted: each class implements one room's observer."""

from typing import Final

from wharfinger.jobs.model import Job
from wharfinger.jobs.ports import Observer
from wharfinger.metrics import names
from wharfinger.metrics.tallies import Tallies
from wharfinger.registry.model.checking import BlobRow, Checked, Remedy
from wharfinger.registry.model.collection import PassState, Step, Task
from wharfinger.registry.ports.collection import CollectionObserver
from wharfinger.registry.service.scrub import ScrubObserver


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
