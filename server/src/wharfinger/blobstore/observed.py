"""A blob store that tells somebody how long its calls take and what fails; any adapter's."""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from wharfinger.blobstore.errors import UploadInUse, UploadShort
from wharfinger.blobstore.port import (
    BlobReader,
    BlobStore,
    Leftover,
    Look,
    Placed,
    StoredObject,
    UploadWriter,
)
from wharfinger_common.digests import Digest

_ORDINARY: Final = (UploadInUse, UploadShort)
"""What tells the caller how things are, rather than that the store failed."""


class StoreObserver(Protocol):
    """Is told of calls, by any thread; must not raise."""

    def took(self, operation: str, seconds: float) -> None:
        """A call ended, well or not."""

    def failed(self, operation: str, error: Exception) -> None:
        """A call failed."""


class _Watch:
    def __init__(self, observer: StoreObserver) -> None:
        self._observer: Final = observer

    def over(self, operation: str) -> "_Call":
        return _Call(self._observer, operation)

    def pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while True:
            with self.over("read"):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece


class _Call:
    """Watches one call. No generator, which would cost as much again as what is observed."""

    __slots__ = ("_begun", "_observer", "_operation")

    def __init__(self, observer: StoreObserver, operation: str) -> None:
        self._observer: Final = observer
        self._operation: Final = operation
        self._begun: Final = time.perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, _ORDINARY):
            self._observer.failed(self._operation, error)
        self._observer.took(self._operation, time.perf_counter() - self._begun)


class ObservedStore:
    """The `BlobStore` port over another one."""

    def __init__(self, store: BlobStore, observer: StoreObserver) -> None:
        self._store: Final = store
        self._watch: Final = _Watch(observer)
        # Asked on the event loop for every pull, and nothing that can fail.
        self.path: Final = store.path
        self.sealed: Final = store.sealed
        self.url: Final = store.url

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        """Open an upload for appending; see the port."""
        with self._watch.over("writer"):
            return _Writer(self._store.writer(upload, offset, state), self._watch)

    def resume(self, upload: str, size: int) -> UploadWriter | None:
        """Open an upload that stands as said; see the port."""
        with self._watch.over("writer"):
            writer = self._store.resume(upload, size)
        return None if writer is None else _Writer(writer, self._watch)

    def discard(self, upload: str, state: str = "") -> None:
        """Drop an upload; see the port."""
        with self._watch.over("discard"):
            self._store.discard(upload, state)

    def put(self, digest: Digest, content: bytes) -> Placed:
        """Store a small blob; see the port."""
        with self._watch.over("put"):
            return self._store.put(digest, content)

    def open(self, location: str, first: int = 0, length: int | None = None) -> BlobReader:
        """Open a blob; see the port."""
        with self._watch.over("open"):
            return _Reader(self._store.open(location, first, length), self._watch)

    def seal(self, location: str, seal: str) -> str:
        """Take note that bytes are right; see the port."""
        return self._store.seal(location, seal)

    def look(self, location: str) -> Look:
        """Return what is seen of a blob; see the port."""
        with self._watch.over("look"):
            return self._store.look(location)

    def delete(self, location: str) -> None:
        """Remove a blob; see the port."""
        with self._watch.over("delete"):
            self._store.delete(location)

    def objects(self, after: str, limit: int) -> Sequence[StoredObject]:
        """Return stored blobs; see the port."""
        with self._watch.over("list"):
            return self._store.objects(after, limit)

    def leftovers(self, before: float) -> Iterator[Leftover]:
        """Yield what lies unfinished; see the port."""
        return self._store.leftovers(before)

    def check(self) -> None:
        """Return if the store can be used; see the port."""
        with self._watch.over("check"):
            self._store.check()


class _Writer:
    """The `UploadWriter` port over another one."""

    def __init__(self, writer: UploadWriter, watch: _Watch) -> None:
        self._writer: Final = writer
        self._watch: Final = watch
        self.tell: Final = writer.tell
        self.standing: Final = writer.standing
        self.close: Final = writer.close

    def write(self, data: bytes | bytearray | memoryview) -> None:
        with self._watch.over("write"):
            self._writer.write(data)

    def save(self) -> None:
        with self._watch.over("save"):
            self._writer.save()

    def revert(self) -> None:
        with self._watch.over("revert"):
            self._writer.revert()

    def read(self) -> Iterator[bytes]:
        return self._watch.pieces(self._writer.read())

    def commit(self, digest: Digest) -> Placed:
        with self._watch.over("commit"):
            return self._writer.commit(digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Reader:
    """The `BlobReader` port over another one."""

    def __init__(self, reader: BlobReader, watch: _Watch) -> None:
        self._reader: Final = reader
        self._watch: Final = watch
        self.close: Final = reader.close

    @property
    def size(self) -> int:
        return self._reader.size

    @property
    def seal(self) -> str:
        return self._reader.seal

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        return self._watch.pieces(self._reader.read(offset, length))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
