"""The blob store port over an object store."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from msgspec import Struct

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable, UploadShort
from wharfinger.blobstore.names import require_upload
from wharfinger.blobstore.object_store.client import Client, ObjectMissing
from wharfinger.blobstore.object_store.keys import (
    FOLDER,
    key_of,
    location_in,
    new_location,
    upload_of,
)
from wharfinger.blobstore.object_store.reader import ObjectReader
from wharfinger.blobstore.object_store.state import State, decode
from wharfinger.blobstore.object_store.writer import ObjectWriter
from wharfinger.blobstore.port import (
    BlobReader,
    Leftover,
    Look,
    Placed,
    StoredObject,
    UploadWriter,
)
from wharfinger_common.digests import Digest

MIB: Final = 1024 * 1024
SMALLEST_PART: Final = 5 * MIB
CONTENT_TYPE: Final = "application/octet-stream"


class Sizes(Struct, frozen=True):
    """Bytes of an upload's first part and of the largest blob; parts on their way at once."""

    part: int = 8 * MIB
    blob: int = 100 * 1024 * MIB
    uploads: int = 16


class ObjectStore:
    """The `BlobStore` port over a bucket; opens no connection before its first request."""

    def __init__(self, client: Client, sizes: Sizes) -> None:
        self.client: Final = client
        self.pool: Final = ThreadPoolExecutor(sizes.uploads, thread_name_prefix="parts")
        self.first_part: Final = sizes.part
        self.largest_blob: Final = sizes.blob
        self._readers: Final = threading.BoundedSemaphore(client.patience.connections)

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        """Open an upload for appending; see the port. Asks the store nothing yet."""
        require_upload(upload)
        known = decode(state)
        if known.size != offset:
            raise UploadShort(0)
        return ObjectWriter(self, upload, known)

    def resume(self, upload: str, size: int) -> None:
        """Return None: the store has no locks that shut others out."""
        del upload, size

    def discard(self, upload: str, state: str = "") -> None:
        """Drop an upload; see the port."""
        require_upload(upload)
        try:
            self.remove(decode(state))
        except UploadShort:
            return

    def put(self, digest: Digest, content: bytes) -> Placed:
        """Store a small blob; see the port."""
        del digest
        location = new_location(str(uuid.uuid4()))
        return Placed(location, self.client.put(key_of(location), content))

    def open(self, location: str, first: int = 0, length: int | None = None) -> BlobReader:
        """Open a blob; see the port."""
        key = key_of(location)
        free = self._slot()
        try:
            return ObjectReader(self.client, key, free, first, length)
        except BaseException:
            free()
            raise

    def look(self, location: str) -> Look:
        """Return a blob's size and entity tag; see the port."""
        try:
            return self.client.look(key_of(location))
        except ObjectMissing:
            raise BlobMissing(location) from None

    def path(self, location: str) -> None:
        """Return None: these blobs are no files."""
        key_of(location)

    def sealed(self, location: str, modified: int) -> bool:
        """Return True: these blobs are no files."""
        del location, modified
        return True

    def seal(self, location: str, seal: str) -> str:
        """Return what it is: nothing is noted in the bucket."""
        del location
        return seal

    def url(self, location: str, seconds: int) -> str:
        """Return where a client gets the blob directly; see the port."""
        return self.client.url(key_of(location), seconds, CONTENT_TYPE)

    def delete(self, location: str) -> None:
        """Remove a blob; see the port."""
        self.client.delete(key_of(location))

    def objects(self, after: str, limit: int) -> Sequence[StoredObject]:
        """Return stored objects; see the port. Tails of uploads are among them."""
        found = self.client.objects(FOLDER, key_of(after) if after else FOLDER)
        named = ((location_in(one.key), one) for one in found)
        stored = (
            StoredObject(location, one.size, one.at, upload_of(location), one.etag)
            for location, one in named
            if location
        )
        return list(islice(stored, limit))

    def leftovers(self, before: float) -> Iterator[Leftover]:
        """Yield multipart uploads that were begun long ago; see the port."""
        for one in self.client.multiparts(FOLDER):
            location = location_in(one.key)
            if location and one.at < before:
                state = State(location, one.multipart)
                yield Leftover(upload_of(location), state.encoded(), one.at)

    def check(self) -> None:
        """Return if the bucket answers; see the port."""
        self.client.check()

    def remove(self, state: State) -> None:
        """Remove from the store what ``state`` names."""
        if state.multipart:
            self.client.abort(key_of(state.location), state.multipart)
            if state.sealed:
                self.client.delete(key_of(state.location))
        for location in state.objects:
            self.client.delete(key_of(location))

    def _slot(self) -> Callable[[], None]:
        """Take one of the connections for readers, and return what frees it, once."""
        if not self._readers.acquire(blocking=False):
            raise StoreUnavailable.after(1)
        once = threading.Lock()

        def free() -> None:
            if once.acquire(blocking=False):
                self._readers.release()

        return free
