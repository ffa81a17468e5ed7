"""The blob store: where the bytes of uploads and blobs lie.

A small synchronous core that a filesystem and an object store with multipart uploads can both
offer: an upload grows at its end only, has one writer at a time, and becomes a blob in one step
without being copied. The store knows nothing of repositories or of who may see what: a row in
the database holds each blob's ``location``, and the row of each upload its ``state``; both are
texts that mean something only to the store that gave them.

Who holds an upload is decided by its lease in the database. A writer that goes on after it lost
the lease does no harm: its successor goes on from the ``state`` that was recorded under the
lease, and nothing that another writer does changes what that state names.

Any thread may call any method of a store; a writer or reader belongs to one thread at a time.
System errors leave as ``StoreUnavailable`` or ``StorageFull`` (`wharfinger.blobstore.errors`).
``tests/contracts/blobstore`` holds what every adapter has to do.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from wharfinger_common.digests import Digest

CHUNK = 1024 * 1024
"""Bytes that readers yield at once, at most."""


class StoredObject(NamedTuple):
    """Bytes of a blob as the store has them; whether a blob's row names them, it does not know.

    ``size`` in bytes, ``modified`` when they were put there, in Unix seconds. ``upload`` is the id
    of the session that they still belong to, where a store puts those under the same roof. ``seal``
    is as in `Look`.
    """

    location: str
    size: int
    modified: float
    upload: str = ""
    seal: str = ""


class Placed(NamedTuple):
    """Where a blob came to lie, and the ``seal`` that its bytes bear there; see `Look`."""

    location: str
    seal: str = ""


class Look(NamedTuple):
    """What is seen of a blob without reading it: ``size`` in bytes, and the ``seal`` they bear.

    Bytes whose seal is not the one that their blob was placed with were written to, or others
    were put in their place: they must be read whole and compared before any of them is sent.
    """

    size: int
    seal: str


class Standing(NamedTuple):
    """How far an upload may be acknowledged: ``size`` in bytes, and the store's ``state`` of it."""

    size: int
    state: str


class Leftover(NamedTuple):
    """What lies in the store for an upload, and the ``state`` with which it is discarded.

    ``written`` is when something was last put there, in Unix seconds; ``size`` in bytes, 0 where
    it is not known without asking once more.
    """

    upload: str
    state: str
    written: float
    size: int = 0


class UploadWriter(Protocol):
    """A writer of an upload, until it is closed. Usable as a context manager.

    Any method may raise `UploadShort`: what was acknowledged is not there any more.
    """

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``; `standing` tells how much of it may be acknowledged."""

    def tell(self) -> int:
        """Return the bytes that the upload has now."""

    def standing(self) -> Standing:
        """Return from where another writer could go on were this process to die now.

        Quick, and free to be called while another thread is in any other method.
        After ``commit``, successful or not, its size may be 0, and its state names what is left to
        be discarded.
        """

    def save(self) -> None:
        """Bring what was written where `standing` covers all of it."""

    def revert(self) -> None:
        """Give up what was written since the writer was opened; `standing` is as it was then.

        After ``commit`` too: where no row came to name the blob, the upload can go on. What cannot
        be removed now is found among `BlobStore.leftovers`.
        """

    def read(self) -> Iterator[bytes]:
        """Yield all bytes of the upload from its start, in pieces of `CHUNK` at most.

        Nothing may be written afterwards.
        """

    def commit(self, digest: Digest) -> Placed:
        """Make the upload's bytes the blob ``digest``; return where it lies.

        The caller has verified the digest. On return the bytes are on disk under their final
        name, which no bytes had before: what lies at other locations, of the same digest too,
        stays as it is. The writer takes nothing more, and what is left of the upload goes when it
        is discarded; until then and until the writer is closed, no other does harm to the blob.
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

    @property
    def seal(self) -> str:
        """The seal that the bytes bear which this reader gives; see `Look`."""

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

    def writer(self, upload: str, offset: int, state: str = "") -> UploadWriter:
        """Open the upload for appending at ``offset`` bytes, and begin it where there is none.

        ``state`` is what `UploadWriter.standing` gave together with ``offset``; '' of a new
        upload. What was written beyond was never acknowledged to anybody and is dropped.

        Raises:
            UploadInUse: another writer is open on it, and two at once could do harm.
            UploadShort: fewer than ``offset`` bytes are stored.
        """

    def resume(self, upload: str, size: int) -> UploadWriter | None:
        """Open the upload for appending if it stands as said, and shut out all others meanwhile.

        That is: it has ``size`` bytes and no more, and until the writer is closed no `writer` or
        `resume` of any process opens another. So who reads an upload's row, resumes it, and finds
        the row unchanged when it writes it, needs no lease. None where it stands otherwise or the
        store cannot promise it: then `writer` is asked, under a lease.

        Raises:
            UploadInUse: another writer is open on it.
        """

    def discard(self, upload: str, state: str = "") -> None:
        """Drop the upload with the bytes that ``state`` names; what is gone already is fine."""

    def put(self, digest: Digest, content: bytes) -> Placed:
        """Store a small blob at once, as durably as ``commit``; return where it lies."""

    def open(self, location: str, first: int = 0, length: int | None = None) -> BlobReader:
        """Open a blob for reading.

        ``first`` and ``length`` tell which bytes will be read: all that follow if None. Others
        may be read as well, at the price of a further request where a network is between.

        Raises:
            BlobMissing: nothing is stored there.
        """

    def look(self, location: str) -> Look:
        """Return what is seen of a blob without reading it.

        Raises:
            BlobMissing: nothing is stored there.
        """

    def path(self, location: str) -> Path | None:
        """Return the file that a server may send as it is, None where blobs are no files.

        Cheap and without looking: whether the file exists, the caller finds out.
        """

    def sealed(self, location: str, modified: int) -> bool:
        """Whether the blob's file is as the store left it, by when it was last written (ns).

        Cheap and without looking. Always true where blobs are no files.
        """

    def seal(self, location: str, seal: str) -> str:
        """Take note that bytes which bear this seal are right; return the one to know them by.

        Nothing is noted where they were written to since.
        """

    def url(self, location: str, seconds: int) -> str | None:
        """Return a URL with which anybody may get the blob for ``seconds``; None if there is none.

        Cheap and without looking. The URL is a secret for as long as it lives.
        """

    def delete(self, location: str) -> None:
        """Remove a blob; nothing happens where there is none.

        Whoever collects removes the blob's row first, so that nobody finds what is gone. After
        a power failure the bytes may be there again.
        """

    def objects(self, after: str, limit: int) -> Sequence[StoredObject]:
        """Return the next ``limit`` stored blobs, ordered by location, behind ``after`` ('').

        Fewer only where there are no more. Uploads are not among them, nor what does not look
        like the store's own; one that comes or goes meanwhile may be missing.
        """

    def leftovers(self, before: float) -> Iterator[Leftover]:
        """Yield what lies unfinished since ``before`` (Unix seconds), of uploads dead or alive."""

    def check(self) -> None:
        """Return if the store can be read and written now.

        Raises:
            StoreUnavailable: it cannot.
            StorageFull: it has no room left.
        """
