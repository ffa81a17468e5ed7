"""One request's hold on an upload: its lease, its writer, and the hash that runs along."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from msgspec.structs import replace

from wharfinger.blobstore.errors import UploadShort
from wharfinger.blobstore.port import BlobStore, Placed, UploadWriter
from wharfinger.cores import anywhere
from wharfinger.quotas.service.storage import Reservation
from wharfinger.registry.model.uploads import (
    BlobTooLarge,
    ChunkLength,
    ContentRange,
    Upload,
    UploadLost,
)
from wharfinger.registry.ports import Clock, UploadRecords
from wharfinger.registry.service.hashes import Running, RunningHashes, start
from wharfinger_common.digests import Digest

_RENEWALS: Final = 3
"""How often a lease is renewed within its length."""


class Reception:
    """Takes the bytes of one request for an upload that this request holds.

    ``keeps`` says whether bytes count as soon as they arrived (a PATCH, which a client resumes)
    or only with the success of the request (a PUT, which it repeats); ``leased`` whether a lease
    keeps others away or the store alone (`BlobStore.resume`). Blocking; calls exclude
    each other, but for `renew`, which another thread calls while the store is slow. It ends with
    `pause`, `drop` or `end`, after which it takes nothing more.
    """

    def __init__(
        self,
        records: UploadRecords,
        store: BlobStore,
        hashes: RunningHashes,
        writer: UploadWriter,
        upload: Upload,
        *,
        clock: Clock,
        lease_seconds: float,
        limit: int,
        keeps: bool,
        leased: bool,
        reservation: Reservation,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._hashes: Final = hashes
        self._writer: Final = writer
        self._clock: Final = clock
        self._lease: Final = lease_seconds
        self._limit: Final = limit
        self._keeps: Final = keeps
        self._leased: Final = leased
        self._reservation: Final = reservation
        self._lock: Final = threading.RLock()
        # Held while the row is written: nothing older may be told after something newer.
        self._telling: Final = threading.RLock()
        self._running: Running | None = hashes.of(upload.id, upload.size)
        self._renewed = clock()
        self._over = False
        self.upload: Final = upload

    @property
    def size(self) -> int:
        """The bytes that the upload has now."""
        return self._writer.tell()

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append ``pieces``; cheapest with about 1 MiB in all.

        Raises:
            BlobTooLarge: the upload would exceed the limit.
            UploadLost: another request has taken over, or the store lost what stood before.
            StorageFull, StoreUnavailable: the store takes no more.
        """
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        with self._lock:
            if self._over:
                self._leave()
                raise UploadLost(upload=self.upload.id)
            if self.size + len(data) > self._limit:
                raise BlobTooLarge(limit=self._limit, headers={"Connection": "close"})
            self._reservation.cover(self.size + len(data))
            with self._whole():
                self._writer.write(data)
            if self._running is not None:
                self._running.state.update(data)
            self._beat()

    def renew(self) -> None:
        """Show a sign of life. Once another request has taken over, `write` says so."""
        with self._telling:
            if not self._over:
                try:
                    now = self._clock()
                    self._records.progress(self._standing(), now, now + self._lease)
                    self._reservation.renew()
                except UploadLost:
                    # The writer may be at work in another thread; the next call closes it.
                    self._over = True
                self._renewed = self._clock()

    def require_length(self, chunk: ContentRange | None) -> None:
        """Let pass if as much arrived as ``chunk`` says.

        Raises:
            ChunkLength: more or less did.
        """
        received = self.size - self.upload.size
        if chunk is not None and received != chunk.length:
            raise ChunkLength(received=received, expected=chunk.length)

    def digest(self, algorithm: str) -> str:
        """Return the digest of the whole upload in hexadecimal; reads it again if it must."""
        with self._lock:
            if self._running is None or self._running.algorithm != algorithm:
                self._running = anywhere(self._read_again)(algorithm)
            return self._running.state.hexdigest()

    def place(self, digest: Digest) -> Placed:
        """Make the upload's bytes the blob; return where they lie."""
        with self._lock:
            if self._over:
                raise UploadLost(upload=self.upload.id)
            with self._whole():
                return self._writer.commit(digest)

    def pause(self, *, keep: bool = True) -> Upload:
        """Acknowledge what counts, let the next request in, and return how far the upload stands.

        Raises:
            UploadLost: another request has taken over, or the store lost what stood before.
            StorageFull, StoreUnavailable: some of it could not be stored; the rest counts.
        """
        with self._lock:
            if self._over:
                self._leave()
                raise UploadLost(upload=self.upload.id)
            try:
                if keep and self._keeps:
                    with self._whole():
                        self._writer.save()
                else:
                    self._revert()
            finally:
                stands = self._release()
            return stands

    def abandon(self, rest: Sequence[bytes] = (), *, keep: bool = True) -> None:
        """Do as `pause`, with ``rest`` if it can be written, where something has failed already.

        Another failure is not told.
        """
        if rest:
            with suppress(Exception):
                self.write(rest)
        with suppress(Exception):
            self.pause(keep=keep)

    def drop(self) -> None:
        """End the session and drop its bytes."""
        with self._lock, self._telling, suppress(Exception):
            if self._records.remove(self.upload):
                self.end()
            self._leave()

    def end(self) -> None:
        """Clear up behind a session that has ended."""
        with self._lock, self._telling, suppress(Exception):
            self._hashes.forget(self.upload.id)
            try:
                # While nobody else can open it: what goes on there would have no session.
                self._store.discard(self.upload.id, self._writer.standing().state)
            finally:
                self._leave()

    def _read_again(self, algorithm: str) -> Running:
        running = start(algorithm)
        with self._whole():
            for piece in self._writer.read():
                running.state.update(piece)
                self._beat()
        return running

    def _revert(self) -> None:
        if self.size != self.upload.size:
            self._running = None
        self._writer.revert()

    def _release(self) -> Upload:
        """Let go of the upload, acknowledging what stands."""
        with self._telling:
            stands = self._standing()
            try:
                self._records.progress(stands, self._clock(), 0, overtake=not self._leased)
            finally:
                self._leave()
            stands = replace(stands, opening=None)
            if self._running is not None and stands.size == self.size:
                self._hashes.keep(stands.id, stands.size, self._running)
            return stands

    def _leave(self) -> None:
        self._over = True
        self._writer.close()

    def _beat(self) -> None:
        if self._clock() - self._renewed >= self._lease / _RENEWALS:
            self.renew()

    def _standing(self) -> Upload:
        """Return how far the upload counts; not beyond its beginning unless bytes are kept."""
        size, state = self._writer.standing()
        if self._keeps or size < self.upload.size:
            return replace(self.upload, size=size, state=state)
        return self.upload

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Tell the client that the store lost what was acknowledged; `pause` sets it back."""
        try:
            yield
        except UploadShort:
            raise UploadLost(upload=self.upload.id) from None
