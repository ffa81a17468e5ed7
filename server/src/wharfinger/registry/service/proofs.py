"""Holding what is read against what was verified once: wrong bytes are fenced, never sent whole.

What is caught when is told in docs/adr/0020.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from typing import Final, Protocol

from wharfinger.blobstore.pieces import pieces
from wharfinger.blobstore.port import BlobReader, BlobStore
from wharfinger.registry.model.blobs import Blob, BlobDamaged, BlobLost
from wharfinger.registry.ports import BlobRecords, Clock
from wharfinger_common.digests import Digest, Hasher
from wharfinger_common.refusals import Refusal

_RETRY: Final = {"Retry-After": "30"}


class DamageObserver(Protocol):
    """Is told of damage that reading found; must not raise."""

    def damaged(self, blob: Blob, what: str) -> None:
        """The blob is fenced; ``what`` is ``missing``, ``size`` or ``digest``."""


class Unwatched:
    """`DamageObserver` that nobody listens to."""

    def damaged(self, blob: Blob, what: str) -> None:
        """Do nothing."""


class Proofs:
    """Blocking; any thread may call. ``streams``: whether whole blobs are hashed as they pass."""

    def __init__(
        self,
        records: BlobRecords,
        store: BlobStore,
        *,
        clock: Clock,
        observer: DamageObserver | None = None,
        streams: bool = True,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._clock: Final = clock
        self._observer: Final = observer or Unwatched()
        self._streams: Final = streams

    def damaged(self, blob: Blob, what: str) -> Refusal:
        """Fence the blob; return what its reader is told.

        Where the blob has other bytes by now, somebody healed it: then the reader comes again.
        """
        if not self._records.fence(blob, what, int(self._clock())):
            return self.lost(blob)
        self._observer.damaged(blob, what)
        return BlobDamaged(digest=blob.digest, repository=blob.repository)

    def lost(self, blob: Blob) -> Refusal:
        """Return what a reader is told whom the store cannot give the bytes now."""
        return BlobLost(digest=blob.digest, headers=_RETRY)

    def missing(self, blob: Blob) -> Refusal:
        """Return what a reader is told of bytes that are not there.

        A file that is gone is damage. A folder that is gone with it is a disk that is not
        mounted, and no reason to fence everything that is asked for meanwhile.
        """
        path = self._store.path(blob.location)
        if path is not None and not path.parent.is_dir():
            return self.lost(blob)
        return self.damaged(blob, "missing")

    def require_right(self, blob: Blob, file: FileIO) -> None:
        """Return if the open file holds the blob: at once if it is sealed, else read whole.

        Raises:
            BlobDamaged: it does not.
            StoreUnavailable: it cannot be read.
        """
        status = os.fstat(file.fileno())
        if status.st_size != blob.size:
            raise self.damaged(blob, "size")
        if self._store.sealed(blob.location, status.st_mtime_ns):
            return
        self._require_pieces(blob, pieces(file, 0, blob.size))
        self._note(blob, str(status.st_mtime_ns))

    def require_read(self, blob: Blob, reader: BlobReader) -> None:
        """Return if the reader gives the blob: at once by its seal, else it is read whole.

        Raises:
            BlobDamaged: it does not.
            StoreUnavailable: it cannot be read.
        """
        if reader.size != blob.size:
            raise self.damaged(blob, "size")
        if reader.seal == blob.seal:
            return
        self._require_pieces(blob, reader.read(0, blob.size))
        self._note(blob, reader.seal)

    def streamed(self, blob: Blob, passing: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces of the whole blob, the last one only when all of them are right.

        Raises:
            BlobDamaged: they are not; the reader never has as many bytes as the blob should.
        """
        if not self._streams:
            yield from passing
            return
        running, held = Digest.parse(blob.digest).hasher(), b""
        for piece in passing:
            running.update(piece)
            if held:
                yield held
            held = piece
        self._require_digest(blob, running)
        if held:
            yield held

    def _note(self, blob: Blob, seal: str) -> None:
        """Take note that right bytes bear this seal; what cannot be noted is read again."""
        with suppress(Refusal):
            noted = self._store.seal(blob.location, seal)
            if noted != blob.seal:
                self._records.seal(blob, noted)

    def _require_pieces(self, blob: Blob, whole: Iterator[bytes]) -> None:
        running = Digest.parse(blob.digest).hasher()
        for piece in whole:
            running.update(piece)
        self._require_digest(blob, running)

    def _require_digest(self, blob: Blob, running: Hasher) -> None:
        if running.hexdigest() != Digest.parse(blob.digest).hex:
            raise self.damaged(blob, "digest")
