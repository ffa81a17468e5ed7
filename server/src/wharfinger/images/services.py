"""Putting images together: their services over one database, for the composition root and tests."""

from msgspec import Struct

from wharfinger.blobstore.port import BlobStore
from wharfinger.database.unit import Database
from wharfinger.images.ports import Access, Clock, Namespaces
from wharfinger.images.service.doors import Doors
from wharfinger.images.service.inspecting import Inspecting
from wharfinger.images.service.listing import Listing
from wharfinger.images.service.options import OptionsDesk, PrivateNamespaces
from wharfinger.images.service.removing import Removing
from wharfinger.images.service.retention import Retaining, Retention
from wharfinger.images.service.tagging import Tagging
from wharfinger.images.service.trash import Trash, TrashKeeping
from wharfinger.images.store.images import SqlImageStore
from wharfinger.images.store.options import SqlAccountSettings
from wharfinger.images.store.outside import Outside
from wharfinger.images.store.retention import SqlPolicies
from wharfinger.images.store.trash import Bin, SqlTrashUpkeep
from wharfinger.registry.store.manifests import Retire
from wharfinger.settings import Settings


class ImageServices(Struct, frozen=True):
    """Everything that images offer; one for each process.

    ``retire`` is for the registry's store of manifests, ``keeping`` and ``retaining`` for jobs and
    for the deletion of namespaces, ``private`` for the gate.
    """

    listing: Listing
    inspecting: Inspecting
    removing: Removing
    tagging: Tagging
    trash: Trash
    keeping: TrashKeeping
    retention: Retention
    retaining: Retaining
    options: OptionsDesk
    private: PrivateNamespaces
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
    policies = SqlPolicies(database, outside, clock)
    options = SqlAccountSettings(database, outside.record, clock)
    private = PrivateNamespaces(options, clock, settings.revocation_seconds)
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
        retention=Retention(
            store,
            policies,
            doors,
            clock,
            push_seconds=settings.retention_push_seconds,
            most=most,
        ),
        retaining=Retaining(store, policies, clock, settings.retention_push_seconds),
        options=OptionsDesk(options, access, private),
        private=private,
        retire=retire,
    )
