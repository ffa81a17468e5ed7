"""Background work as rows: what a job is and how long to wait after it failed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

FIRST_RETRY_SECONDS: Final = 1.0
ERROR_CHARACTERS: Final = 2000


class LeaseLost(Exception):
    """Another worker holds the job now, or nobody does: stop at once, change nothing more."""


class Stopping(Exception):
    """The process is ending: leave the job where it stands, another worker goes on with it."""


class JobState(StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    """Nobody holds it; it is due at its time."""
    RUNNING = "running"
    """Somebody holds it under a lease."""
    RETRYING = "retrying"
    """Its last attempt failed; it is tried again at its time."""
    ABANDONED = "abandoned"
    """Whoever held it gave no sign of life; the next worker that looks goes on with it."""


class Job(Struct, frozen=True):
    """One piece of work that is not done; times in Unix seconds.

    ``kind`` names its handler, ``subject`` what it is about: there is one job of a kind for a
    subject. ``fence`` grows with each claim, so what an earlier holder still tries is refused.
    """

    id: int
    kind: str
    subject: str
    payload: Mapping[str, str] = field(default_factory=dict)
    run_at: float = 0.0
    leased_until: float = 0.0
    lease_owner: str = ""
    fence: int = 0
    attempts: int = 0
    last_error: str = ""
    created_at: int = 0

    def state(self, now: float) -> JobState:
        """Return how the job stands at ``now``."""
        if self.leased_until > now:
            return JobState.RUNNING
        if self.lease_owner:
            return JobState.ABANDONED
        return JobState.RETRYING if self.last_error else JobState.WAITING


class Queue(Struct, frozen=True):
    """Jobs of one kind, for figures: due and not claimed, claimed, failed at the last attempt.

    ``oldest`` is for how many seconds the longest-waiting one is due.
    """

    kind: str
    waiting: int = 0
    running: int = 0
    failing: int = 0
    oldest: float = 0.0


def retry_delay(attempts: int, longest: float) -> float:
    """Return the seconds to wait after ``attempts`` attempts (1 or more) failed in a row.

    One second, doubled with each further failure, ``longest`` at most.
    """
    # 2.0 ** 1024 does not fit a float; 32 doublings are more than any setting allows.
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(max(attempts, 1) - 1, 32), longest)
