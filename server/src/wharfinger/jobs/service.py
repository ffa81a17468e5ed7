"""Jobs: asking for background work, claiming it under a lease, and letting it go again."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from wharfinger.jobs.model import ERROR_CHARACTERS, Job, LeaseLost, retry_delay
from wharfinger.jobs.ports import Clock, JobStore, Queue

MAX_LISTED: Final = 10_000


class Jobs:
    """The use cases of jobs. Blocking; any thread of any process may call.

    ``lease`` is how many seconds a holder may go without a sign of life, ``longest_retry`` the
    most seconds between two attempts at a job that keeps failing.
    """

    def __init__(
        self, store: JobStore, clock: Clock, *, lease: float, longest_retry: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._lease = lease
        self._longest_retry = longest_retry

    def enqueue(
        self,
        queue: Queue,
        kind: str,
        subject: str,
        payload: Mapping[str, str],
        *,
        delay: float = 0.0,
    ) -> None:
        """Ask for work within a given unit of work, ``delay`` seconds from now at the latest.

        Asking again for the same kind and subject adds no second job.
        """
        now = self._clock()
        queue.enqueue(kind, subject, payload, now + delay, now)

    def ensure(
        self, kind: str, subject: str, payload: Mapping[str, str], *, delay: float = 0.0
    ) -> None:
        """Ask for work in a unit of its own, for instance for what runs again and again."""
        with self._store.writing() as queue:
            self.enqueue(queue, kind, subject, payload, delay=delay)

    def claim(self, kinds: Collection[str], owner: str) -> Job | None:
        """Take one due job of these kinds in the name of ``owner``, or None if there is none.

        Costs one read while there is nothing to do.
        """
        now = self._clock()
        if not self._store.due(kinds, now):
            return None
        with self._store.writing() as queue:
            return queue.claim(kinds, owner, now, now + self._lease)

    def renew(self, job: Job) -> None:
        """Hold the job for another lease.

        Raises:
            LeaseLost: somebody else has it.
        """
        self._held(lambda queue: queue.renew(job, self._clock() + self._lease))

    def complete(self, job: Job) -> None:
        """End the job.

        Raises:
            LeaseLost: somebody else has it.
        """
        self._held(lambda queue: queue.complete(job))

    def again(self, job: Job, delay: float) -> None:
        """Let the job go; it is due again ``delay`` seconds from now.

        Raises:
            LeaseLost: somebody else has it.
        """
        run_at = self._clock() + delay
        self._held(lambda queue: queue.postpone(job, run_at, attempts=0, error=""))

    def fail(self, job: Job, error: str) -> None:
        """Let a failed job go; it is tried again after a time that grows with each failure.

        Raises:
            LeaseLost: somebody else has it.
        """
        run_at = self._clock() + retry_delay(job.attempts, self._longest_retry)
        text = error[:ERROR_CHARACTERS]
        self._held(lambda queue: queue.postpone(job, run_at, attempts=job.attempts, error=text))

    def release(self, job: Job) -> None:
        """Let the job go as it is, for somebody else to go on with at once.

        Raises:
            LeaseLost: somebody else has it already.
        """
        before = max(job.attempts - 1, 0)
        self._held(
            lambda queue: queue.postpone(job, job.run_at, attempts=before, error=job.last_error)
        )

    def list(self, limit: int = MAX_LISTED) -> Sequence[Job]:
        """Return at most ``limit`` jobs, the next due first."""
        return self._store.jobs(min(limit, MAX_LISTED))

    def _held(self, act: Callable[[Queue], bool]) -> None:
        with self._store.writing() as queue:
            held = act(queue)
        if not held:
            raise LeaseLost
