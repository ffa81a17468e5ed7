"""Putting collection together, for the composition root and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wharfinger.blobstore.port import BlobStore
from wharfinger.database.unit import Database
from wharfinger.registry.model.collection import CollectionRules
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.collection import CollectionObserver
from wharfinger.registry.service.collection import Collector, GarbageReport
from wharfinger.registry.service.passes import Pace, Passes
from wharfinger.registry.store.collection import Keeper, SqlCollectionRecords
from wharfinger.registry.store.garbage import SqlGarbageLists
from wharfinger.registry.store.links import Charges


@dataclass(frozen=True, slots=True)
class Collection:
    """What removes what nothing needs, and what tells of it beforehand."""

    passes: Passes
    report: GarbageReport


def build_collection(
    database: Database,
    store: BlobStore,
    rules: CollectionRules,
    *,
    share: float,
    clock: Clock,
    pause: Callable[[float], object],
    observer: CollectionObserver,
    keepers: Sequence[Keeper] = (),
    charges: Charges | None = None,
) -> Collection:
    """Return collection over a database and a store.

    ``share`` is the percentage of the time that it works; ``keepers`` say what other rooms keep,
    ``charges`` count what accounts lose.
    """
    records = SqlCollectionRecords(database, keepers, charges)
    collector = Collector(records, store, rules, clock=clock, observer=observer)
    lists = SqlGarbageLists(database, keepers)
    return Collection(
        Passes(collector, records, Pace(share, pause), clock=clock, observer=observer),
        GarbageReport(lists, records, store, rules, clock),
    )
