"""A blob store in memory, for tests of what stands above it. Nothing in it outlives the object."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

from wharfinger.blobstore.errors import BlobMissing, UploadInUse, UploadShort
from wharfinger.blobstore.names import new_location, require_location, require_upload
from wharfinger.blobstore.port import (
    CHUNK,
    BlobReader,
    Leftover,
    Look,
    Placed,
    Standing,
    StoredObject,
    UploadWriter,
)
from wharfinger_common.digests import Digest


class MemoryStore:
    """The `BlobStore` port over dictionaries; ``clock`` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.uploads: Final[dict[str, bytearray]] = {}
        self.blobs: Final[dict[str, bytes]] = {}
        self.held: Final[set[str]] = set()
        self.written: Final[dict[str, float]] = {}
        self.placed: Final[dict[str, float]] = {}
        self.clock: Final = clock
        self._lock: Final = threading.Lock()

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        """Open an upload for appending; see the port."""
        del state
        require_upload(upload)
        with self._lock:
            if upload in self.held:
                raise UploadInUse
            content = self.uploads.setdefault(upload, bytearray())
            self.written[upload] = self.clock()
            if len(content) < offset:
                raise UploadShort(len(content))
            del content[offset:]
            self.held.add(upload)
        return _MemoryWriter(self, upload, content)

    def resume(self, upload: str, size: int) -> UploadWriter | None:
        """Open an upload that stands as said; see the port."""
        with self._lock:
            if upload in self.held:
                raise UploadInUse
            stands = len(self.uploads.get(require_upload(upload), b"")) == size
        return self.writer(upload, size) if stands else None

    def discard(self, upload: str, state: str = "") -> None:
        """Drop an upload; see the port."""
        del state
        self.uploads.pop(require_upload(upload), None)

    def put(self, digest: Digest, content: bytes) -> Placed:
        """Store a small blob; see the port."""
        location = new_location(digest)
        self.placed[location] = self.clock()
        self.blobs[location] = bytes(content)
        return Placed(location)

    def open(self, location: str, first: int = 0, length: int | None = None) -> BlobReader:
        """Open a blob; see the port."""
        del first, length
        try:
            return _MemoryReader(self.blobs[require_location(location)])
        except KeyError:
            raise BlobMissing(location) from None

    def look(self, location: str) -> Look:
        """Return what is seen of a blob; see the port."""
        with self.open(location) as reader:
            return Look(reader.size, reader.seal)

    def path(self, location: str) -> None:
        """Return None: these blobs are no files."""
        require_location(location)

    def sealed(self, location: str, modified: int) -> bool:
        """Return True: these blobs are no files."""
        del location, modified
        return True

    def seal(self, location: str, seal: str) -> str:
        """Return what it is: these bytes bear no seals."""
        del location
        return seal

    def url(self, location: str, seconds: int) -> None:
        """Return None: there is no way to memory."""
        del location, seconds

    def delete(self, location: str) -> None:
        """Remove a blob; see the port."""
        self.blobs.pop(require_location(location), None)

    def objects(self, after: str, limit: int) -> Sequence[StoredObject]:
        """Return stored blobs; see the port."""
        with self._lock:
            locations = sorted(location for location in self.blobs if location > after)[:limit]
            return [
                StoredObject(location, len(self.blobs[location]), self.placed[location])
                for location in locations
            ]

    def leftovers(self, before: float) -> Iterator[Leftover]:
        """Yield old uploads; see the port."""
        old = [each for each in self.uploads.items() if self.written[each[0]] < before]
        for upload, content in old:
            yield Leftover(upload, "", self.written[upload], len(content))

    def check(self) -> None:
        """Return: memory is always there."""


class _MemoryWriter:
    """The `UploadWriter` port over a bytearray."""

    def __init__(self, store: MemoryStore, upload: str, content: bytearray) -> None:
        self._store: Final = store
        self._upload: Final = upload
        self._content: Final = content
        self._opened_at: Final = len(content)
        self._open = True
        self._placed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._open:
            raise ValueError("the writer is closed")
        self._content.extend(data)
        self._store.written[self._upload] = self._store.clock()

    def tell(self) -> int:
        return len(self._content)

    def standing(self) -> Standing:
        return Standing(0 if self._placed else len(self._content), "")

    def save(self) -> None:
        pass

    def revert(self) -> None:
        if self._open:
            del self._content[self._opened_at :]
            self._placed = False

    def read(self) -> Iterator[bytes]:
        return _pieces(bytes(self._content))

    def commit(self, digest: Digest) -> Placed:
        placed = self._store.put(digest, bytes(self._content))
        self._placed = True
        return placed

    def close(self) -> None:
        if self._open:
            self._open = False
            self._store.held.discard(self._upload)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _MemoryReader:
    """The `BlobReader` port over bytes."""

    def __init__(self, content: bytes) -> None:
        self._content: Final = content

    @property
    def size(self) -> int:
        return len(self._content)

    @property
    def seal(self) -> str:
        return ""

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        return _pieces(self._content[offset : offset + length])

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]
