"""What jobs need from outside, and what those who do the work have to offer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wharfinger.jobs.model import Job

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""


class Queue(Protocol):
    """The jobs as one writing unit sees them. What needs the lease says whether it still held."""

    def enqueue(
        self, kind: str, subject: str, payload: Mapping[str, str], run_at: float, now: float
    ) -> None:
        """Add a job. One that is there already takes the payload and runs no later than asked.

        If it is being worked on at this moment, it runs once more after that.
        """

    def claim(self, kinds: Collection[str], owner: str, now: float, until: float) -> Job | None:
        """Take the job that has been due longest and that nobody holds, until ``until``."""

    def renew(self, job: Job, until: float) -> bool:
        """Hold the job until ``until``."""

    def complete(self, job: Job) -> bool:
        """Remove the job, or let it go if it was asked for again since it was claimed."""

    def postpone(self, job: Job, run_at: float, *, attempts: int, error: str) -> bool:
        """Let the job go; it is due again at ``run_at``, unless it was asked for earlier."""


class JobStore(Protocol):
    """Where jobs live. Any thread of any process may call any method."""

    def writing(self) -> AbstractContextManager[Queue]:
        """Enter a writing unit.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def due(self, kinds: Collection[str], now: float) -> bool:
        """Whether a job of these kinds could be claimed; reads only."""

    def jobs(self, limit: int) -> Sequence[Job]:
        """Return at most ``limit`` jobs, the next due first."""


class Lease(Protocol):
    """A job in somebody's hands."""

    @property
    def job(self) -> Job:
        """What is to be done."""

    def keep(self) -> None:
        """Show a sign of life; call it between steps, much more often than the lease lasts.

        Raises:
            LeaseLost: the job is no longer in these hands.
            Stopping: the process is ending.
        """


class Handler(Protocol):
    """Does the work of one kind of job; it may be run again after any part of it."""

    def __call__(self, lease: Lease) -> float | None:
        """Do the work; return None when it is done, or after how many seconds to run again.

        Whatever it raises leaves the job to be tried again later; LeaseLost and Stopping, from
        ``lease.keep``, must pass through.
        """


class Observer(Protocol):
    """Is told what the runners do, for metrics and logs; must not raise."""

    def started(self, job: Job) -> None:
        """A runner has claimed the job."""

    def ended(self, job: Job, outcome: str, seconds: float) -> None:
        """The runner let it go: ``done``, ``again``, ``failed``, ``lost`` or ``stopped``."""

    def failed(self, job: Job | None, error: Exception) -> None:
        """A handler raised, or (without a job) the runner could not look for work."""
