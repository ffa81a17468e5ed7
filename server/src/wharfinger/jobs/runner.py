"""The runner: a thread of the jobs process that claims one job after the other and does it."""

import threading
import time
from collections.abc import Mapping
from typing import Final

from wharfinger.jobs.model import Job, LeaseLost, Stopping
from wharfinger.jobs.ports import Handler, Observer
from wharfinger.jobs.service import Jobs


class Runner:
    """Works on one job at a time until told to stop.

    ``owner`` must differ between runners, also of other processes; ``poll`` is the seconds
    between looks while there is nothing to do. Several may run side by side on one database.
    """

    def __init__(
        self,
        jobs: Jobs,
        handlers: Mapping[str, Handler],
        observer: Observer,
        *,
        owner: str,
        poll: float,
        stop: threading.Event,
    ) -> None:
        self._jobs: Final = jobs
        self._handlers: Final = dict(handlers)
        self._observer: Final = observer
        self._owner: Final = owner
        self._poll: Final = poll
        self._stop: Final = stop

    def run(self) -> None:
        """Work until ``stop`` is set; no failure of a handler or the database ends it earlier."""
        while not self._stop.is_set():
            if not self.run_one():
                self._stop.wait(self._poll)

    def run_one(self) -> bool:
        """Do one job, if one is due; return whether there was one."""
        try:
            job = self._jobs.claim(self._handlers.keys(), self._owner)
        except Exception as error:  # whatever fails here, the next look may succeed
            self._observer.failed(None, error)
            return False
        if job is None:
            return False
        self._observer.started(job)
        begun = time.monotonic()
        outcome = self._outcome(job)
        self._observer.ended(job, outcome, time.monotonic() - begun)
        return True

    def _outcome(self, job: Job) -> str:
        try:
            return self._work(job)
        except LeaseLost:
            return "lost"
        except Exception as error:  # not even the failure could be written down
            self._observer.failed(job, error)
            return "lost"

    def _work(self, job: Job) -> str:
        try:
            delay = self._handlers[job.kind](_Lease(self._jobs, job, self._stop))
        except LeaseLost:
            raise
        except Stopping:
            self._jobs.release(job)
            return "stopped"
        except Exception as error:  # one job's defect must not end the others
            self._observer.failed(job, error)
            self._jobs.fail(job, f"{type(error).__name__}: {error}")
            return "failed"
        if delay is None:
            self._jobs.complete(job)
            return "done"
        self._jobs.again(job, delay)
        return "again"


class _Lease:
    """Implements ``jobs.ports.Lease``."""

    def __init__(self, jobs: Jobs, job: Job, stop: threading.Event) -> None:
        self._jobs = jobs
        self._stop = stop
        self.job: Final = job

    def keep(self) -> None:
        if self._stop.is_set():
            raise Stopping
        self._jobs.renew(self.job)
