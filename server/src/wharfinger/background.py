"""The jobs process: which background work there is and how often each comes round."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from wharfinger import __version__
from wharfinger.explain import services as explain_services
from wharfinger.images.model.retention import RETAINING
from wharfinger.images.model.trash import TRIMMING
from wharfinger.jobs.model import Job
from wharfinger.jobs.ports import Handler, Lease
from wharfinger.jobs.runner import Runner
from wharfinger.jobs.store import SqlJobStore, SqlQueue
from wharfinger.metrics.figures import Figures
from wharfinger.metrics.survey import Survey
from wharfinger.metrics.upkeep import CollectionFigures, JobFigures, ScrubFigures
from wharfinger.namespaces import model as namespaces_model
from wharfinger.namespaces.store import hold_owner
from wharfinger.quotas.services import CARE_JOB, CARE_SECONDS
from wharfinger.registry.model.checking import BlobRow, Checked
from wharfinger.registry.model.collection import CollectionRules, PassState, Step, Task
from wharfinger.registry.services import Collecting, build_collection, build_scrub
from wharfinger.registry.store.recount import recount
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.repairs import SYSTEM, record_repair
from wharfinger.rooms import KEEPERS, Rooms, build_rooms
from wharfinger.settings import MIB, Settings
from wharfinger.web.log import EventLog

EXPIRY_JOB: Final = "expire-uploads"
EXPIRY_SECONDS: Final = 600.0
DESCRIPTION_JOB: Final = "describe-images"
DESCRIPTION_SECONDS: Final = 86_400.0
DESCRIPTION_BATCH: Final = 100
TOKEN_JOB: Final = "expire-registry-tokens"  # noqa: S105 - the name of a job
TOKEN_SECONDS: Final = 600.0
TRASH_JOB: Final = "expire-trash"
DISCARD_SECONDS: Final = 60.0
RECOUNT_JOB: Final = "recount-storage"
SCRUB_JOB: Final = "scrub-blobs"
COLLECTION_JOBS: Final[Mapping[str, Task]] = {f"collect-{task}": task for task in Task}
ASKED_FOR: Final = frozenset({namespaces_model.EMPTYING, TRIMMING, RETAINING, RECOUNT_JOB})
"""Jobs that are done where somebody asks for them."""

_log: Final = EventLog("wharfinger.jobs")


def run_jobs(settings: Settings, stop: threading.Event) -> None:
    """Do background work until ``stop`` is set."""
    figures = Figures(settings, "jobs", __version__)
    rooms = build_rooms(settings, figures=figures)
    figures.watch(_survey(rooms))
    figures.start()
    handlers, scrubbing = _handlers(rooms, stop), _scrubbing(rooms, stop)
    with rooms.database.writing() as connection:
        # All but these come round by themselves, and are seen to at each start.
        for kind in (handlers.keys() | scrubbing.keys()) - ASKED_FOR:
            rooms.jobs.enqueue(SqlQueue(connection), kind, "", {})
        if rooms.quotas.charges is None:
            # It waits until accounting is switched on again, and makes good what was not counted.
            rooms.jobs.enqueue(SqlQueue(connection), RECOUNT_JOB, "", {})
    observer = JobFigures(figures.tallies, _JobLog())

    def runner(some: Mapping[str, Handler]) -> Runner:
        # Machines may share a name, as containers do.
        owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        poll = settings.jobs_poll_seconds
        return Runner(rooms.jobs, some, observer, owner=owner, poll=poll, stop=stop)

    # What reads for days has a thread of its own: nothing else waits for it.
    apart = threading.Thread(target=runner(scrubbing).run, name="scrub")
    if scrubbing:
        apart.start()
    runner(handlers).run()
    if scrubbing:
        apart.join()
    rooms.close()
    figures.close()


def _survey(rooms: Rooms) -> Survey:
    return Survey(
        rooms.figures.tallies,
        lambda: SqlJobStore(rooms.database).queues(rooms.clock()),
        SqlUploadRecords(rooms.database, hold_owner).count,
    )


def collection(rooms: Rooms, pause: Callable[[float], object]) -> Collecting:
    """Return the collection of a deployment; ``pause`` waits some seconds between its steps."""
    settings = rooms.settings
    rules = CollectionRules(
        grace=settings.collection_grace_seconds,
        delay=settings.discard_delay_seconds,
        orphan_grace=settings.orphan_grace_seconds,
        upload_expiry=settings.upload_expiry_seconds,
    )
    return build_collection(
        rooms.database,
        rooms.blobs,
        rules,
        share=settings.collection_share_percent,
        clock=rooms.clock,
        pause=pause,
        observer=CollectionFigures(rooms.figures.tallies, CollectionLog()),
        keepers=KEEPERS,
        charges=rooms.quotas.charges,
    )


def _handlers(rooms: Rooms, stop: threading.Event) -> dict[str, Handler]:
    def expire(lease: Lease) -> float:
        while rooms.uploads.expire():
            lease.keep()
        return EXPIRY_SECONDS

    def expire_tokens(lease: Lease) -> float:
        while rooms.identity.registry_tokens.expire():
            lease.keep()
        return TOKEN_SECONDS

    def describe(lease: Lease) -> float:
        after = 0
        while after := rooms.configs.describe(after, DESCRIPTION_BATCH):
            lease.keep()
        return DESCRIPTION_SECONDS

    return {
        namespaces_model.EMPTYING: rooms.emptying,
        EXPIRY_JOB: expire,
        DESCRIPTION_JOB: describe,
        explain_services.EXPIRY_JOB: rooms.explain.expire,
        TOKEN_JOB: expire_tokens,
        TRASH_JOB: rooms.images.keeping.expire,
        TRIMMING: rooms.images.keeping.trim,
        RETAINING: rooms.images.retaining,
        **_collecting(rooms, stop),
        **_counting(rooms),
    }


def _counting(rooms: Rooms) -> dict[str, Handler]:
    def care(lease: Lease) -> float:
        while rooms.quotas.care():
            lease.keep()
        return CARE_SECONDS

    def count_anew(lease: Lease) -> None:
        recount(rooms.database, rooms.clock, lease.keep)

    counts = rooms.quotas.charges is not None
    return {CARE_JOB: care, **({RECOUNT_JOB: count_anew} if counts else {})}


def _collecting(rooms: Rooms, stop: threading.Event) -> dict[str, Handler]:
    passes = collection(rooms, stop.wait).passes
    every = {
        Task.LINKS: rooms.settings.collection_interval_seconds,
        Task.BLOBS: rooms.settings.collection_interval_seconds,
        Task.BYTES: min(DISCARD_SECONDS, rooms.settings.collection_interval_seconds),
        Task.ORPHANS: rooms.settings.orphan_interval_seconds,
    }

    def collecting(task: Task) -> Handler:
        # Behind what else is due, when there is more: others wait for a slice, not for a pass.
        return lambda lease: every[task] if passes.run(task, lease.keep) else 0.0

    return {kind: collecting(task) for kind, task in COLLECTION_JOBS.items()}


def _scrubbing(rooms: Rooms, stop: threading.Event) -> dict[str, Handler]:
    settings = rooms.settings
    if not settings.scrub_mib_per_second:
        return {}
    scrub = build_scrub(
        rooms.database,
        rooms.blobs,
        rate=settings.scrub_mib_per_second * MIB,
        clock=rooms.clock,
        pause=stop.wait,
        observer=ScrubFigures(rooms.figures.tallies, _ScrubLog(rooms)),
    )

    def scrubbing(lease: Lease) -> float:
        scrub.run(_sparingly(lease.keep, settings.jobs_lease_seconds / 4, stop))
        return settings.scrub_interval_seconds

    return {SCRUB_JOB: scrubbing}


def _sparingly(
    keep: Callable[[], None], seconds: float, stop: threading.Event
) -> Callable[[], None]:
    """Return a ``keep`` to be called at will: it renews after ``seconds``, and ends at once."""
    kept = time.monotonic()

    def kept_now() -> None:
        nonlocal kept
        if stop.is_set() or time.monotonic() - kept >= seconds:
            keep()
            kept = time.monotonic()

    return kept_now


class _ScrubLog:
    """Tells the log and the audit trails what the scrub finds.

    Implements ``registry.service.scrub.ScrubObserver``.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms: Final = rooms

    def scrubbed(self, row: BlobRow) -> None:
        """Say nothing: figures tell how many."""

    def found(self, checked: Checked) -> None:
        told = checked.finding.told()
        facts, code = told["facts"], checked.finding.entry.code
        _log.error("blob damaged", remedy=checked.remedy.value, code=code, facts=facts)
        if checked.remedy:
            now = int(self._rooms.clock())
            record_repair(self._rooms.database, checked, now, actor=SYSTEM)

    def ended(self, state: PassState) -> None:
        _tell_of_pass("scrubbed", state, news=state.examined, found=state.removed)


class _JobLog:
    """Tells the log what the runner does (``jobs.ports.Observer``)."""

    def started(self, job: Job) -> None:
        _log.debug("job started", kind=job.kind, subject=job.subject, attempts=job.attempts)

    def ended(self, job: Job, outcome: str, seconds: float) -> None:
        # What comes round by itself is no news; metrics count it.
        tell = _log.debug if outcome == "again" else _log.info
        tell("job ended", kind=job.kind, subject=job.subject, outcome=outcome, s=seconds)

    def failed(self, job: Job | None, error: Exception) -> None:
        kind = job.kind if job else "looking for work"
        _log.error("job failed", kind=kind, error=repr(error))


class CollectionLog:
    """Tells the log what was collected (``registry.ports.collection.CollectionObserver``)."""

    def stepped(self, task: Task, step: Step) -> None:
        """A step is done; only whole passes are worth a line."""

    def finished(self, task: Task, state: PassState) -> None:
        """A pass is done."""
        removed = state.removed
        _tell_of_pass("collected", state, news=removed, task=task.value, removed=removed)

    def undeleted(self, location: str, error: Exception) -> None:
        """Bytes could not be deleted."""
        _log.error("bytes not deleted", location=location, error=repr(error))


def _tell_of_pass(event: str, state: PassState, *, news: int, **fields: object) -> None:
    """Write a line on a pass that brought ``news``; of others only who looks for a defect hears."""
    tell = _log.info if news else _log.debug
    seconds = round(state.ended_at - state.begun_at, 3)
    tell(event, **fields, examined=state.examined, bytes=state.size, s=seconds)
