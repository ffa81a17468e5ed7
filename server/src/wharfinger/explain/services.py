"""Builds the explanations' services for one process."""

from typing import Final

from msgspec import Struct

from wharfinger.database.unit import Database
from wharfinger.explain.ports import Clock, Managers, Owners
from wharfinger.explain.recorder import Recorder
from wharfinger.explain.service import Explanations
from wharfinger.explain.store import SqlRefusalStore
from wharfinger.jobs.ports import Lease
from wharfinger.settings import Settings
from wharfinger.web.log import EventLog

EXPIRY_JOB: Final = "expire-refusals"
EXPIRY_SECONDS: Final = 3600.0
_DAY: Final = 86_400
_log: Final = EventLog("wharfinger.explain")


class ExplainServices(Struct, frozen=True):
    """What remembers refusals, and what explains them."""

    recorder: Recorder
    explanations: Explanations

    def expire(self, lease: Lease) -> float:
        """Forget what is too old (a job's handler); return the seconds to the next time."""
        while self.explanations.expire():
            lease.keep()
        return EXPIRY_SECONDS


def build(
    settings: Settings, database: Database, owners: Owners, managers: Managers, clock: Clock
) -> ExplainServices:
    """Return the services over ``database``; starts nothing yet."""
    store = SqlRefusalStore(database)
    recorder = Recorder(store, owners, settings.explain_per_account, _failed)
    keep = settings.explain_days * _DAY
    return ExplainServices(recorder, Explanations(store, managers, clock, keep))


def _failed(error: Exception, count: int) -> None:
    _log.error("refusals not kept", count=count, error=repr(error))
