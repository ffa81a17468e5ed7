"""The rooms of one process: adapters from the settings, services wired to each other's ports.

Nothing here knows HTTP. Nothing is made before the process that uses it was forked.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection

from wharfinger import __version__
from wharfinger.audit.store import record
from wharfinger.blobstore.observed import ObservedStore
from wharfinger.blobstore.opening import open_store
from wharfinger.blobstore.port import BlobStore
from wharfinger.database.opening import open_database
from wharfinger.database.unit import Database
from wharfinger.explain import services as explain_services
from wharfinger.explain.services import ExplainServices
from wharfinger.identity import services as identity_services
from wharfinger.identity.secrets import derived, load_master_key
from wharfinger.identity.service.tokens import LEEWAY_SECONDS
from wharfinger.identity.services import IdentityServices
from wharfinger.images import services as image_services
from wharfinger.images.services import ImageServices
from wharfinger.images.store.outside import Outside
from wharfinger.images.store.trash import kept_in_trash
from wharfinger.jobs.service import Jobs
from wharfinger.jobs.store import SqlJobStore, SqlQueue
from wharfinger.metrics import names
from wharfinger.metrics.figures import Figures
from wharfinger.metrics.observers import DatabaseFigures, StoreFigures
from wharfinger.namespaces.deletion import Emptying
from wharfinger.namespaces.ports import DeletionStep
from wharfinger.namespaces.service import Namespaces, Owners
from wharfinger.namespaces.service import Rules as NamespaceRules
from wharfinger.namespaces.store import SqlNamespaceStore, hold_owner, is_deleting
from wharfinger.quotas import services as quota_services
from wharfinger.quotas.services import QuotaServices
from wharfinger.registry.model.upload_ids import UploadIds
from wharfinger.registry.service.configs import Configs
from wharfinger.registry.service.hashes import RunningHashes
from wharfinger.registry.service.repositories import RegistryDeletion
from wharfinger.registry.service.uploads import Rules as UploadRules
from wharfinger.registry.service.uploads import Uploads
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.collection import Keeper
from wharfinger.registry.store.configs import SqlConfigRecords
from wharfinger.registry.store.namespace_uploads import SqlNamespaceUploads
from wharfinger.registry.store.repositories import SqlNamespaceContents
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.settings import Settings
from wharfinger.web.log import EventLog

RETRY_SECONDS: Final = 300.0
KEEPERS: Final[tuple[Keeper, ...]] = (kept_in_trash,)
"""Conditions under which rooms above the registry keep blobs that no repository shows."""
_log: Final = EventLog("wharfinger.quotas")

Clock = Callable[[], float]


class Rooms(Struct, frozen=True):
    """Every room's services over one database and one blob store; one set for each process."""

    settings: Settings
    database: Database
    blobs: BlobStore
    identity: IdentityServices
    namespaces: Namespaces
    owners: Owners
    emptying: Emptying
    quotas: QuotaServices
    uploads: Uploads
    configs: Configs
    images: ImageServices
    jobs: Jobs
    explain: ExplainServices
    figures: Figures
    clock: Clock

    def close(self) -> None:
        """Write down what waits in memory and close the connections."""
        self.explain.recorder.close()
        self.identity.last_use.flush()
        self.quotas.traffic.close()
        self.database.close()


def build_rooms(
    settings: Settings, clock: Clock = time.time, figures: Figures | None = None
) -> Rooms:
    """Return the services; opens no connection yet. What they do counts in ``figures``."""
    figures = figures or Figures(settings, "command", __version__)
    tallies = figures.tallies
    database = open_database(settings, DatabaseFigures(tallies))
    blobs = ObservedStore(open_store(settings), StoreFigures(tallies))
    figures.show(names.DATABASE_CONNECTIONS, database.in_use)
    lease = settings.jobs_lease_seconds
    jobs = Jobs(SqlJobStore(database), clock, lease=lease, longest_retry=RETRY_SECONDS)

    def enqueue(connection: Connection, kind: str, subject: str, payload: Any) -> None:
        jobs.enqueue(SqlQueue(connection), kind, subject, payload)

    namespace_store = SqlNamespaceStore(database, record=record, enqueue=enqueue, clock=clock)
    owners = Owners(namespace_store)
    master_key = load_master_key(settings.master_key_path)
    identity = identity_services.build(
        settings,
        database,
        owners=owners,
        record=record,
        master_key=master_key,
        clock=clock,
        issued=lambda typ: tallies.add(names.TOKENS_ISSUED, (typ.value,)),
    )
    quotas = quota_services.build(
        settings,
        database,
        access=identity.access,
        record=record,
        clock=clock,
        failed=_traffic_failed,
    )
    images = image_services.build(
        settings,
        database,
        Outside(hold_owner, is_deleting, record, enqueue, quotas.charges),
        blobs=blobs,
        access=identity.access,
        namespaces=owners,
        clock=clock,
    )
    ids = UploadIds(
        lambda: derived(master_key, "upload session ids"), settings.upload_begin_seconds
    )
    steps = _deletion_steps(database, blobs, quotas, images)
    # Until the last second of what tokens still count after their end.
    keep_seconds = settings.registry_token_seconds + LEEWAY_SECONDS + 1
    rules = NamespaceRules(
        settings.namespace_hyphens, settings.namespaces_per_account, keep_seconds
    )
    return Rooms(
        settings=settings,
        database=database,
        blobs=blobs,
        identity=identity,
        namespaces=Namespaces(namespace_store, identity.access, steps, rules, clock),
        owners=owners,
        emptying=Emptying(namespace_store, steps, identity.policies, clock, keep_seconds),
        quotas=quotas,
        uploads=_uploads(settings, database, blobs, owners, quotas, ids, clock),
        configs=_configs(settings, database, blobs),
        images=images,
        jobs=jobs,
        explain=explain_services.build(settings, database, owners, identity.access, clock),
        figures=figures,
        clock=clock,
    )


def _deletion_steps(
    database: Database, blobs: BlobStore, quotas: QuotaServices, images: ImageServices
) -> list[DeletionStep]:
    """Return what empties a deleted namespace, in this order."""
    registry = RegistryDeletion(
        SqlNamespaceContents(database, is_deleting, quotas.charges),
        SqlNamespaceUploads(database, blobs.discard),
    )
    # The trash last: until the registry is empty more may come there.
    return [registry, images.retaining, images.keeping]


def _configs(settings: Settings, database: Database, blobs: BlobStore) -> Configs:
    size, labels = settings.image_config_bytes, settings.image_labels_bytes
    return Configs(SqlConfigRecords(database), blobs, size=size, labels=labels)


def _uploads(
    settings: Settings,
    database: Database,
    blobs: BlobStore,
    owners: Owners,
    quotas: QuotaServices,
    ids: UploadIds,
    clock: Clock,
) -> Uploads:
    rules = UploadRules(
        settings.blob_bytes,
        settings.upload_lease_seconds,
        settings.upload_expiry_seconds,
        link_seconds=settings.orphan_grace_seconds / 2,
    )
    return Uploads(
        SqlUploadRecords(database, hold_owner, quotas.charges),
        SqlBlobRecords(database, quotas.charges),
        blobs,
        owners,
        rules,
        clock=clock,
        ids=ids,
        hashes=RunningHashes(settings.upload_hashes),
        quota=quotas.storage,
    )


def _traffic_failed(error: Exception) -> None:
    _log.error("traffic not written down", error=repr(error))
