"""The blob store: where the bytes of uploads and blobs lie.

A small synchronous core that a filesystem and an object store with multipart uploads can both
offer: an upload grows at its end only, has one writer at a time, and becomes a blob in one step
without being copied. The store knows nothing of repositories or of who may see what: a row in
the database holds each blob's ``location``, which means something only to the store that gave it.

Any thread may call any method of a store; a writer or reader belongs to one thread at a time.
System errors leave as ``StoreUnavailable`` or ``StorageFull`` (`wharfinger.blobstore.errors`).
``tests/contracts/blobstore_contract.py`` holds what every adapter has to do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self

from wharfinger_common.digests import Digest

CHUNK = 1024 * 1024
"""Bytes that readers yield at once, at most."""


class UploadWriter(Protocol):
    """The only writer of an upload, until it is closed. Usable as a context manager."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``. It survives the death of this process, not yet that of the machine."""

    def tell(self) -> int:
        """Return the bytes that the upload has now."""

    def read(self) -> Iterator[bytes]:
        """Yield all bytes of the upload from its start, in pieces of `CHUNK` at most."""

    def commit(self, digest: Digest) -> str:
        """Make the upload's bytes the blob ``digest``; return its location.

        The caller has verified the digest. On return the bytes are on disk under their final
        name; a blob that lay there before is replaced in one step, and its readers go on with
        the bytes they opened. The upload is gone and the writer takes nothing more.
        """

    def close(self) -> None:
        """Let the next writer in; what was written stays. May be called again."""

    def __enter__(self) -> Self:
        """Return the writer."""

    def __exit__(self, *_: object) -> None:
        """Close the writer."""


class BlobReader(Protocol):
    """An open blob: stays readable though the blob be replaced or deleted meanwhile."""

    @property
    def size(self) -> int:
        """The bytes of the blob."""

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes from ``offset`` (fewer where the blob ends), `CHUNK` at a time."""

    def close(self) -> None:
        """Release what the reader holds. May be called again."""

    def __enter__(self) -> Self:
        """Return the reader."""

    def __exit__(self, *_: object) -> None:
        """Close the reader."""


class BlobStore(Protocol):
    """Where bytes lie. Upload ids are lowercase UUIDs in their canonical form of 36 characters."""

    def writer(self, upload: str, offset: int) -> UploadWriter:
        """Open the upload for appending at ``offset`` bytes, and begin it where there is none.

        What lies beyond ``offset`` was never acknowledged to anybody and is dropped.

        Raises:
            UploadInUse: another writer is open on it, in this process or another one.
            UploadShort: fewer than ``offset`` bytes are stored.
        """

    def discard(self, upload: str) -> None:
        """Drop the upload with its bytes; nothing happens where there is none."""

    def put(self, digest: Digest, content: bytes) -> str:
        """Store a small blob at once, as durably as ``commit``; return its location."""

    def open(self, location: str) -> BlobReader:
        """Open a blob for reading.

        Raises:
            BlobMissing: nothing is stored there.
        """

    def path(self, location: str) -> Path | None:
        """Return the file that a server may send as it is, None where blobs are no files.

        Cheap and without looking: whether the file exists, the caller finds out.
        """

    def delete(self, location: str) -> None:
        """Remove a blob; nothing happens where there is none.

        Whoever collects removes the blob's row first, so that nobody finds what is gone.
        """

    def leftovers(self, before: float) -> Iterator[str]:
        """Yield the ids of uploads that were last written before ``before`` (Unix seconds)."""

    def check(self) -> None:
        """Return if the store can be read and written now.

        Raises:
            StoreUnavailable: it cannot.
            StorageFull: it has no room left.
        """
