"""Putting quotas together: their services over one database, for the composition root and tests."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.quotas.model import Enforcement
from wharfinger.quotas.ports import Access, Clock
from wharfinger.quotas.service import storage, traffic
from wharfinger.quotas.service.accounts import Quotas
from wharfinger.quotas.service.storage import Storage, Unmetered
from wharfinger.quotas.service.traffic import Meter, Uncounted
from wharfinger.quotas.store.charges import SqlCharges
from wharfinger.quotas.store.records import SqlQuotaStore
from wharfinger.quotas.store.reservations import SqlReservations
from wharfinger.quotas.store.traffic import SqlTraffic
from wharfinger.settings import Settings

CARE_JOB: Final = "care-for-quotas"
CARE_SECONDS: Final = 600.0


class QuotaServices(Struct, frozen=True):
    """Everything that quotas offer; one for each process.

    ``charges`` is for the registry's stores, None where accounting is off. Close ``traffic`` at
    shutdown: it holds what was not yet written down.
    """

    quotas: Quotas
    storage: Storage | Unmetered
    traffic: Meter | Uncounted
    charges: SqlCharges | None

    def care(self) -> bool:
        """Do a batch of what has to be done from time to time; return whether there is more."""
        self.storage.drop_lapsed()
        return self.quotas.enter_months() > 0


def build(
    settings: Settings,
    database: Database,
    *,
    access: Access,
    record: Recorder,
    clock: Clock,
    failed: Callable[[Exception], None],
) -> QuotaServices:
    """Return the services; nothing is read or written yet, no thread is started.

    ``record`` leaves an audit row in a connection's transaction; ``failed`` is told of what goes
    wrong in the background.
    """
    plans = settings.offered_plans
    how = Enforcement(settings.quota_enforcement)
    counted = settings.quota_accounting
    held: Storage | Unmetered = Unmetered()
    meter: Meter | Uncounted = Uncounted()
    if counted:
        reservations = SqlReservations(database, how, settings.push_gap_seconds)
        held = Storage(reservations, plans, _storage_rules(settings, how), clock)
        ledger = SqlTraffic(database, plans, how, clock)
        meter = Meter(ledger, _traffic_rules(settings), clock, failed)
    return QuotaServices(
        quotas=Quotas(SqlQuotaStore(database, record, clock), access, plans, clock, held.forget),
        storage=held,
        traffic=meter,
        charges=SqlCharges(plans, how, settings.push_gap_seconds, clock) if counted else None,
    )


def _storage_rules(settings: Settings, enforcement: Enforcement) -> storage.Rules:
    return storage.Rules(
        enforcement,
        settings.reservation_step_bytes,
        settings.reservation_seconds,
        settings.quota_remember_seconds,
        settings.push_gap_seconds,
    )


def _traffic_rules(settings: Settings) -> traffic.Rules:
    return traffic.Rules(
        settings.traffic_lease_bytes,
        settings.traffic_lease_most_bytes,
        settings.traffic_lease_seconds,
        settings.traffic_tick_seconds,
    )
