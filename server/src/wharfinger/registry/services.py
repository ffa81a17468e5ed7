"""Putting collection and checking together, for the composition root and tests."""

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from wharfinger.blobstore.port import BlobStore
from wharfinger.database.unit import Database
from wharfinger.registry.model.collection import CollectionRules
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.checking import Part
from wharfinger.registry.ports.collection import CollectionObserver
from wharfinger.registry.service.blob_check import BlobCheck, UploadCheck
from wharfinger.registry.service.collection import Collector, GarbageReport
from wharfinger.registry.service.manifest_check import ManifestCheck
from wharfinger.registry.service.passes import Pace, Passes
from wharfinger.registry.service.scrub import Scrub, ScrubObserver
from wharfinger.registry.service.throttle import Throttle
from wharfinger.registry.store.blob_checks import SqlBlobChecks
from wharfinger.registry.store.collection import Keeper, SqlCollectionRecords
from wharfinger.registry.store.garbage import SqlGarbageLists
from wharfinger.registry.store.links import Charges
from wharfinger.registry.store.manifest_checks import SqlManifestChecks


class Collecting(Struct, frozen=True):
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
) -> Collecting:
    """Return collection over a database and a store.

    ``share`` is the percentage of the time that it works; ``keepers`` say what other rooms keep,
    ``charges`` count what accounts lose.
    """
    records = SqlCollectionRecords(database, keepers, charges)
    collector = Collector(records, store, rules, clock=clock, observer=observer)
    lists = SqlGarbageLists(database, keepers)
    return Collecting(
        Passes(collector, records, Pace(share, pause), clock=clock, observer=observer),
        GarbageReport(lists, records, store, rules, clock),
    )


def build_scrub(
    database: Database,
    store: BlobStore,
    *,
    rate: float,
    clock: Clock,
    pause: Callable[[float], object],
    observer: ScrubObserver,
) -> Scrub:
    """Return the scrub over a database and a store; ``rate`` in bytes a second."""
    blobs, records = SqlBlobChecks(database), SqlCollectionRecords(database)

    def check(throttle: Throttle) -> BlobCheck:
        return BlobCheck(blobs, records, store, throttle, clock=clock, grace=0.0)

    return Scrub(blobs, records, check, rate=rate, clock=clock, pause=pause, observer=observer)


def build_checks(
    database: Database,
    store: BlobStore,
    *,
    grace: float,
    rate: float,
    clock: Clock,
    existing: Callable[[Collection[str]], Collection[str]],
) -> Sequence[Part]:
    """Return the parts of a check of what is stored, in the order in which they should run.

    ``grace`` is how many seconds old what belongs to nothing must be to be told of, ``rate`` the
    bytes a second that a deep check reads; ``existing`` tells which upload sessions there are.
    """
    return (
        ManifestCheck(SqlManifestChecks(database), clock),
        BlobCheck(
            SqlBlobChecks(database),
            SqlCollectionRecords(database),
            store,
            Throttle(rate),
            clock=clock,
            grace=grace,
        ),
        UploadCheck(existing, store, clock=clock, grace=grace),
    )
