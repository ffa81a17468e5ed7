"""Putting images together: their services over one database, for the composition root and tests."""

from dataclasses import dataclass

from wharfinger.blobstore.port import BlobStore
from wharfinger.database.unit import Database
from wharfinger.images.ports import Access, Clock, Namespaces
from wharfinger.images.service.doors import Doors
from wharfinger.images.service.inspecting import Inspecting
from wharfinger.images.service.listing import Listing
from wharfinger.images.service.removing import Removing
from wharfinger.images.service.tagging import Tagging
from wharfinger.images.service.trash import Trash, TrashKeeping
from wharfinger.images.store.images import Recorder, SqlImageStore
from wharfinger.images.store.trash import Bin, Enqueue, IsDeleting, SqlTrashUpkeep
from wharfinger.registry.store.blobs import HoldNamespace
from wharfinger.registry.store.links import Charges
from wharfinger.registry.store.manifests import Retire
from wharfinger.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """What images need within transactions: of namespaces, the audit, jobs, quotas."""

    hold_namespace: HoldNamespace
    is_deleting: IsDeleting
    record: Recorder
    enqueue: Enqueue
    charges: Charges | None = None


@dataclass(frozen=True, slots=True)
class ImageServices:
    """Everything that images offer; one for each process.

    ``retire`` is for the registry's store of manifests, ``keeping`` for jobs and for the deletion
    of namespaces.
    """

    listing: Listing
    inspecting: Inspecting
    removing: Removing
    tagging: Tagging
    trash: Trash
    keeping: TrashKeeping
    retire: Retire


def build(
    settings: Settings,
    database: Database,
    outside: Outside,
    *,
    blobs: BlobStore,
    access: Access,
    namespaces: Namespaces,
    clock: Clock,
) -> ImageServices:
    """Return the services over ``database``; nothing is read or written yet."""
    doors = Doors(access, namespaces)
    retire = Bin(clock, outside.enqueue, settings.trash_days).keep
    store = SqlImageStore(
        database,
        hold_namespace=outside.hold_namespace,
        record=outside.record,
        clock=clock,
        retire=retire,
        charges=outside.charges,
    )
    most = settings.list_images
    return ImageServices(
        listing=Listing(store, doors, namespaces, most),
        inspecting=Inspecting(store, doors, blobs, settings.image_config_bytes),
        removing=Removing(store, doors),
        tagging=Tagging(store, doors, clock),
        trash=Trash(store, doors, clock, days=settings.trash_days, most=most),
        keeping=TrashKeeping(
            SqlTrashUpkeep(database, outside.is_deleting),
            clock,
            days=settings.trash_days,
            most=settings.trash_bytes,
        ),
        retire=retire,
    )
