"""The use cases of pushing blobs (OCI distribution 1.1, Pushing blobs)."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from wharfinger.blobstore.errors import UploadInUse, UploadShort
from wharfinger.blobstore.port import BlobStore, UploadWriter
from wharfinger.quotas.model import Pushing, StorageExceeded
from wharfinger.quotas.service.storage import Reservation, StorageQuota, Unmetered
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.upload_ids import UploadIds
from wharfinger.registry.model.uploads import (
    DEFAULT_ALGORITHM,
    BlobTooLarge,
    ChunkLength,
    ContentRange,
    DigestMismatch,
    Pusher,
    Upload,
    UploadBusy,
    UploadUnknown,
    require_algorithm,
    require_in_order,
    upload_path,
)
from wharfinger.registry.ports import BlobRecords, Clock, Namespaces, UploadRecords
from wharfinger.registry.service.commit import Body, Commit
from wharfinger.registry.service.hashes import RunningHashes, start
from wharfinger.registry.service.reception import Reception
from wharfinger.registry.service.sessions import Sessions
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Refusal


class Rules(Struct, frozen=True):
    """What the operator decides: bytes of a blob, seconds of a lease, seconds a session is kept.

    ``link_seconds`` is the time from placing bytes to linking them after which they might have
    been taken for abandoned.
    """

    blob_bytes: int
    lease_seconds: float
    expiry_seconds: float
    link_seconds: float = 1800.0


class Uploads:
    """Opens, feeds and finishes upload sessions. Blocking; any thread may call.

    Every method that takes a `Pusher` relies on the caller having been authorised for it.
    """

    def __init__(
        self,
        records: UploadRecords,
        shown: BlobRecords,
        store: BlobStore,
        namespaces: Namespaces,
        rules: Rules,
        *,
        clock: Clock,
        ids: UploadIds,
        hashes: RunningHashes,
        quota: StorageQuota | None = None,
    ) -> None:
        self._records: Final = records
        self._shown: Final = shown
        self._store: Final = store
        self._rules: Final = rules
        self._clock: Final = clock
        self._hashes: Final = hashes
        self._quota: Final = quota or Unmetered()
        self._sessions: Final = Sessions(
            records, store, namespaces, ids, hashes, clock, rules.lease_seconds
        )
        self._commit: Final = Commit(records, store, self._quota, clock, rules.link_seconds)

    def open(
        self, pusher: Pusher, algorithm: str = DEFAULT_ALGORITHM, *, admit: bool = True
    ) -> Upload:
        """Open a session; ``algorithm`` is what the client means to name its digest in.

        ``admit=False`` leaves the quota to the end of the upload: for a request whose body is
        under way already, where a refusal would not reach the client.

        Raises:
            NamespaceUnknown: the repository's namespace does not exist.
            AlgorithmUnsupported: digests of that algorithm cannot be verified.
            StorageExceeded: the storage quota of the namespace's owner is reached.
        """
        require_algorithm(algorithm)
        upload = self._sessions.new(pusher, self._sessions.owner(pusher))
        if admit:
            push = Pushing(pusher.repository, pusher.subject)
            self._quota.begin(pusher.region, upload.account, upload.id, push)
        if algorithm != DEFAULT_ALGORITHM:
            self._hashes.keep(upload.id, 0, start(algorithm))
        return upload

    def open_at_once(self, pusher: Pusher, account: str) -> Upload | None:
        """Open a session in a namespace of ``account``; for the event loop, as it never blocks.

        None where `open` has to ask whether there is room.
        """
        push = Pushing(pusher.repository, pusher.subject)
        if not self._quota.is_open(pusher.region, account, push):
            return None
        return self._sessions.new(pusher, account)

    def status(self, pusher: Pusher, upload: str) -> Upload:
        """Return how far the session stands.

        Raises:
            UploadUnknown: the pusher has no such session.
        """
        return self._sessions.find(pusher, upload)

    def cancel(self, pusher: Pusher, upload: str) -> None:
        """End the session and drop its bytes.

        Raises:
            UploadUnknown: the pusher has no such session.
            UploadBusy: a request is writing it.
        """
        held = self._sessions.acquire(pusher, upload)
        self._sessions.drop(held)
        self._quota.end(pusher.region, held.account, held.id)

    def forget(self, pusher: Pusher, upload: str) -> None:
        """Drop a session whose id nobody was told; it may have ended already."""
        with suppress(UploadUnknown, UploadBusy):
            self.cancel(pusher, upload)

    def mount(self, pusher: Pusher, digest: Digest, sources: Collection[str]) -> Blob | None:
        """Show a blob that one of ``sources`` shows in the pusher's repository too.

        ``sources`` are repositories that the pusher may pull from. None if none of them has it.
        (OCI distribution 1.1, Mounting a blob from another repository.)

        Raises:
            NamespaceUnknown: the repository's namespace does not exist.
            StorageExceeded: the blob is new to the account, and its quota is reached.
        """
        account = self._sessions.owner(pusher)
        found = self._shown.showing(pusher.region, sources, str(digest)) if sources else ()
        for _, blob in islice(found, 1):
            if self._records.link_stored(pusher, account, blob.digest, self._clock(), None):
                return blob
        return None

    def candidates(self, pusher: Pusher, digest: Digest, source: str, limit: int) -> Sequence[str]:
        """Return repositories from which the blob could be mounted, if the pusher may pull there.

        That is ``source`` if it shows the blob; without one, ``limit`` repositories of the
        account that owns the pusher's namespace. Each has still to be authorised.
        """
        if source:
            shown = self._shown.showing(pusher.region, [source], str(digest))
            return [name for name, _ in shown]
        account = self._sessions.owner(pusher)
        return self._shown.repositories_of(pusher.region, account, str(digest), limit)

    def push(self, pusher: Pusher, digest: Digest, pieces: Sequence[bytes]) -> Blob:
        """Store a whole small blob and show it (OCI distribution 1.1, Single POST).

        Raises:
            NamespaceUnknown: the repository's namespace does not exist.
            DigestMismatch, BlobTooLarge: the content is not what is accepted.
            StorageExceeded: the blob is new to the account, and its quota has no room.
        """
        account = self._sessions.owner(pusher)
        return self._commit(self._body(pieces), digest, pusher, account, None)

    def foresee(
        self, pusher: Pusher, upload: str, chunk: ContentRange | None, announced: int
    ) -> None:
        """Let pass what a body of ``announced`` bytes (0: unknown) would be taken for.

        Raises:
            UploadUnknown, UploadBusy, ChunkOutOfOrder, BlobTooLarge, ChunkLength: as `append`.
        """
        self._require_fit(pusher, self._sessions.free(pusher, upload), chunk)
        if chunk is not None and announced and announced != chunk.length:
            raise ChunkLength(received=announced, expected=chunk.length)

    def receive(
        self,
        pusher: Pusher,
        upload: str,
        chunk: ContentRange | None,
        *,
        keeps: bool,
        announced: int = 0,
    ) -> Reception:
        """Take hold of the session to write a body that does not fit in memory.

        ``announced`` is how many bytes it will have, as far as that is known: the quota reserves
        them at once, others as they come.

        Raises:
            UploadUnknown: the pusher has no such session.
            UploadBusy: somebody else holds it.
            ChunkOutOfOrder: ``chunk`` does not start where the session stands.
            BlobTooLarge: ``chunk`` ends beyond the limit.
        """
        held = self._sessions.acquire(pusher, upload)
        reservation = self._reservation(pusher, held)
        try:
            self._require_fit(pusher, held, chunk)
            if announced:
                reservation.cover(held.size + announced)
            writer = self._store.writer(upload, held.size, held.state)
        except UploadShort as short:
            self._set_back(pusher, held, short.stored)
            raise
        except UploadInUse:
            self._sessions.release(held)
            raise UploadBusy.of(upload) from None
        except BaseException:
            self._sessions.release(held)
            raise
        return self._reception(held, writer, reservation, keeps=keeps, leased=True)

    def _received(
        self, pusher: Pusher, stands: Upload, chunk: ContentRange | None, *, keeps: bool
    ) -> Reception:
        """Do as `receive` for a body that is there whole; without a lease where that is possible.

        The store's lock then keeps others away, and the fence that was read guards the row.
        """
        try:
            writer = self._store.resume(stands.id, stands.size)
        except UploadInUse:
            raise UploadBusy.of(stands.id) from None
        if writer is None:
            return self.receive(pusher, stands.id, chunk, keeps=keeps)
        try:
            self._require_fit(pusher, stands, chunk)
        except BaseException:
            writer.close()
            raise
        reservation = self._reservation(pusher, stands)
        return self._reception(stands, writer, reservation, keeps=keeps, leased=False)

    def _reservation(self, pusher: Pusher, upload: Upload) -> Reservation:
        return self._quota.reservation(pusher.region, upload.account, upload.id)

    def _require_fit(self, pusher: Pusher, upload: Upload, chunk: ContentRange | None) -> None:
        require_in_order(upload, chunk, upload_path(pusher.repository, upload.id))
        self._require_size(chunk.last + 1 if chunk else 0)

    def _reception(
        self,
        upload: Upload,
        writer: UploadWriter,
        reservation: Reservation,
        *,
        keeps: bool,
        leased: bool,
    ) -> Reception:
        return Reception(
            self._records,
            self._store,
            self._hashes,
            writer,
            upload,
            clock=self._clock,
            lease_seconds=self._rules.lease_seconds,
            limit=self._rules.blob_bytes,
            keeps=keeps,
            leased=leased,
            reservation=reservation,
        )

    def append(
        self, pusher: Pusher, upload: str, pieces: Sequence[bytes], chunk: ContentRange | None
    ) -> Upload:
        """Take a whole small chunk; return how far the session stands.

        Raises:
            ChunkLength: ``chunk`` and the pieces disagree; none of them is kept.
            UploadUnknown, UploadBusy, ChunkOutOfOrder, BlobTooLarge: as `receive`.
        """
        reception = self._received(pusher, self._sessions.free(pusher, upload), chunk, keeps=True)
        try:
            reception.write(pieces)
        except BaseException:
            reception.abandon()
            raise
        return self.acknowledge(reception, chunk)

    def salvage(
        self, pusher: Pusher, upload: str, pieces: Sequence[bytes], chunk: ContentRange | None
    ) -> None:
        """Keep what arrived of a small chunk before the client vanished, if it fits.

        Nobody is there to be told of a failure.
        """
        with suppress(Refusal):
            self.receive(pusher, upload, chunk, keeps=True).abandon(pieces)

    def acknowledge(self, reception: Reception, chunk: ContentRange | None) -> Upload:
        """Let go of a session whose chunk arrived whole; return how far it stands.

        Raises:
            ChunkLength: ``chunk`` and what arrived disagree; nothing of it is kept.
            UploadLost: another request has taken over.
        """
        try:
            reception.require_length(chunk)
        except ChunkLength:
            reception.abandon(keep=False)
            raise
        return reception.pause()

    def finish(
        self,
        pusher: Pusher,
        upload: str,
        digest: Digest,
        pieces: Sequence[bytes],
        chunk: ContentRange | None,
    ) -> Blob:
        """End the session with a small last chunk, or none, and show the blob.

        Raises:
            DigestMismatch: the content is another one; the session is dropped.
            ChunkLength, UploadUnknown, UploadBusy, UploadLost, ChunkOutOfOrder, BlobTooLarge:
                as `append`; of the chunk nothing is kept.
        """
        stands = self._sessions.free(pusher, upload)
        if stands.size == 0:
            return self._finish_at_once(pusher, stands, digest, pieces, chunk)
        reception = self._received(pusher, stands, chunk, keeps=False)
        try:
            if pieces:
                reception.write(pieces)
        except BaseException:
            reception.abandon(keep=False)
            raise
        return self.complete(pusher, reception, digest, chunk)

    def complete(
        self, pusher: Pusher, reception: Reception, digest: Digest, chunk: ContentRange | None
    ) -> Blob:
        """End a session whose bytes have all arrived, and show the blob.

        Raises:
            DigestMismatch: the content is another one; the session is dropped.
            ChunkLength: ``chunk`` and what arrived disagree; nothing of it is kept.
            UploadLost: another request has taken over.
        """
        upload = reception.upload
        try:
            reception.require_length(chunk)
            blob = self._commit(reception, digest, pusher, upload.account, upload)
        except (DigestMismatch, StorageExceeded):
            reception.drop()
            self._quota.end(pusher.region, upload.account, upload.id)
            raise
        except BaseException:
            reception.abandon(keep=False)
            raise
        reception.end()
        return blob

    def expire(self) -> int:
        """Drop a batch of sessions that stood still for too long, and what belongs to none.

        Return how many; call again while it is not 0.
        """
        return self._sessions.expire(self._rules.expiry_seconds)

    def _finish_at_once(
        self,
        pusher: Pusher,
        upload: Upload,
        digest: Digest,
        pieces: Sequence[bytes],
        chunk: ContentRange | None,
    ) -> Blob:
        """End a session to which nothing was sent before, without taking its lease.

        The fence that was read guards it: whoever takes the lease meanwhile raises it.
        """
        require_in_order(upload, chunk, upload_path(pusher.repository, upload.id))
        body = self._body(pieces)
        if chunk is not None and body.size != chunk.length:
            raise ChunkLength(received=body.size, expected=chunk.length)
        try:
            blob = self._commit(body, digest, pusher, upload.account, upload)
        except (DigestMismatch, StorageExceeded):
            self._sessions.drop(upload)
            self._quota.end(pusher.region, upload.account, upload.id)
            raise
        self._sessions.clear(upload)
        return blob

    def _body(self, pieces: Sequence[bytes]) -> Body:
        body = Body(self._store, pieces)
        self._require_size(body.size)
        return body

    def _require_size(self, size: int) -> None:
        if size > self._rules.blob_bytes:
            raise BlobTooLarge(limit=self._rules.blob_bytes)

    def _set_back(self, pusher: Pusher, held: Upload, stored: int) -> None:
        """Tell the client how much is really there: a power failure may have taken the rest."""
        stands = replace(held, size=stored, state="")
        self._sessions.set_back(stands)
        location = upload_path(pusher.repository, held.id)
        require_in_order(stands, ContentRange(held.size, held.size), location)
