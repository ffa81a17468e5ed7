"""One image: its inspection and its manifest."""

from typing import Any, Final

from wharfinger.blobstore.port import BlobStore
from wharfinger.identity.model import Caller
from wharfinger.images.model.inspection import ImageUnknown, NotAnImage, Stored, inspection
from wharfinger.images.model.names import ImageName
from wharfinger.images.ports import ImageStore
from wharfinger.images.service.doors import LISTS, PULLS, Doors


class Inspecting:
    """Blocking; any thread may call. ``most`` bounds the bytes of a config that is shown."""

    def __init__(self, store: ImageStore, doors: Doors, blobs: BlobStore, most: int) -> None:
        self._store: Final = store
        self._doors: Final = doors
        self._blobs: Final = blobs
        self._most: Final = most

    def inspect(self, caller: Caller, image: ImageName, shown: str) -> dict[str, Any]:
        """Return docker's inspection of an image; ``shown`` is its name for messages.

        Raises:
            RoleMissing: the caller may not read in the namespace.
            ImageUnknown: there is no such image.
            NotAnImage: it is an index or another artifact.
            BlobMissing, StoreUnavailable: its config cannot be read.
        """
        self._doors.read(caller, image, LISTS)
        stored = self._find(image, shown)
        stored.require_config(shown)
        if stored.config_size > self._most:
            raise NotAnImage(image=shown, type=stored.media_type)
        with self._blobs.open(stored.config_location) as reader:
            content = b"".join(reader.read(0, self._most))
        return inspection(stored, content, shown)

    def manifest(self, caller: Caller, image: ImageName, shown: str) -> bytes:
        """Return the bytes of a manifest, as they were pushed.

        Raises:
            RoleMissing: the caller may not pull from the namespace.
            ImageUnknown: there is no such image.
        """
        self._doors.read(caller, image, PULLS)
        return self._find(image, shown).content

    def _find(self, image: ImageName, shown: str) -> Stored:
        with self._store.reading() as records:
            found = records.find(image.place, image.reference)
        if found is None:
            raise ImageUnknown(image=shown)
        return found
