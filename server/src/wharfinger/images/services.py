"""Putting images together: their services over one store, for the composition root and tests."""

from dataclasses import dataclass

from wharfinger.blobstore.port import BlobStore
from wharfinger.images.ports import Access, Clock, ImageStore, Namespaces
from wharfinger.images.service.doors import Doors
from wharfinger.images.service.inspecting import Inspecting
from wharfinger.images.service.listing import Listing
from wharfinger.images.service.removing import Removing
from wharfinger.images.service.tagging import Tagging
from wharfinger.settings import Settings


@dataclass(frozen=True, slots=True)
class ImageServices:
    """Everything that images offer; one for each process."""

    listing: Listing
    inspecting: Inspecting
    removing: Removing
    tagging: Tagging


def build(
    settings: Settings,
    store: ImageStore,
    *,
    blobs: BlobStore,
    access: Access,
    namespaces: Namespaces,
    clock: Clock,
) -> ImageServices:
    """Return the services; nothing is read or written yet."""
    doors = Doors(access, namespaces)
    return ImageServices(
        listing=Listing(store, doors, namespaces, settings.list_images),
        inspecting=Inspecting(store, doors, blobs, settings.image_config_bytes),
        removing=Removing(store, doors),
        tagging=Tagging(store, doors, clock),
    )
