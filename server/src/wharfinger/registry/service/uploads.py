"""The use cases of pushing blobs (OCI distribution 1.1, Pushing blobs)."""

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable, UploadInUse, UploadShort
from wharfinger.blobstore.names import is_upload
from wharfinger.blobstore.port import BlobStore, Placed, UploadWriter
from wharfinger.quotas.model import Pushing, StorageExceeded
from wharfinger.quotas.service.storage import Reservation, StorageQuota, Unmetered
from wharfinger.registry.model.blobs import Blob
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
from wharfinger.registry.service.hashes import RunningHashes, start
from wharfinger.registry.service.reception import Reception
from wharfinger_common.digests import Digest
from wharfinger_common.languages import Text
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Refusal

_RETRY: Final = {"Retry-After": "1"}
_BATCH: Final = 100


class Rules(Struct, frozen=True):
    """What the operator decides: bytes of a blob, seconds of a lease, seconds a session is kept.

    ``link_seconds`` is the time from placing bytes to linking them after which they might have
    been taken for abandoned.
    """

    blob_bytes: int
    lease_seconds: float
    expiry_seconds: float
    link_seconds: float = 1800.0


class Content(Protocol):
    """Bytes on their way to become a blob."""

    @property
    def size(self) -> int:
        """How many they are."""

    def digest(self, algorithm: str) -> str:
        """Return their digest in hexadecimal."""

    def place(self, digest: Digest) -> Placed:
        """Put them durably into the store as blob ``digest``; return where they lie."""


class Body:
    """`Content` that came with one request and fits in memory."""

    def __init__(self, store: BlobStore, pieces: Sequence[bytes]) -> None:
        self._store: Final = store
        self._content: Final = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def size(self) -> int:
        """The bytes of the body."""
        return len(self._content)

    def digest(self, algorithm: str) -> str:
        """Return their digest in hexadecimal."""
        return Digest.of(self._content, algorithm).hex

    def place(self, digest: Digest) -> Placed:
        """Put them durably into the store; return where they lie."""
        return self._store.put(digest, self._content)


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
        hashes: RunningHashes,
        quota: StorageQuota | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._records: Final = records
        self._shown: Final = shown
        self._store: Final = store
        self._namespaces: Final = namespaces
        self._rules: Final = rules
        self._clock: Final = clock
        self._hashes: Final = hashes
        self._quota: Final = quota or Unmetered()
        self._new_id: Final = new_id

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
        upload = Upload(self._new_id(), self._owner(pusher))
        if admit:
            push = Pushing(pusher.repository, pusher.subject)
            self._quota.begin(pusher.region, upload.account, upload.id, push)
        self._records.open(pusher, upload, self._clock())
        if algorithm != DEFAULT_ALGORITHM:
            self._hashes.keep(upload.id, 0, start(algorithm))
        return upload

    def status(self, pusher: Pusher, upload: str) -> Upload:
        """Return how far the session stands.

        Raises:
            UploadUnknown: the pusher has no such session.
        """
        return self._records.find(pusher, _known_form(pusher, upload))

    def cancel(self, pusher: Pusher, upload: str) -> None:
        """End the session and drop its bytes.

        Raises:
            UploadUnknown: the pusher has no such session.
            UploadBusy: a request is writing it.
        """
        held = self._acquire(pusher, upload)
        self._drop(held)
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
        account = self._owner(pusher)
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
        account = self._owner(pusher)
        return self._shown.repositories_of(pusher.region, account, str(digest), limit)

    def push(self, pusher: Pusher, digest: Digest, pieces: Sequence[bytes]) -> Blob:
        """Store a whole small blob and show it (OCI distribution 1.1, Single POST).

        Raises:
            NamespaceUnknown: the repository's namespace does not exist.
            DigestMismatch, BlobTooLarge: the content is not what is accepted.
            StorageExceeded: the blob is new to the account, and its quota has no room.
        """
        account = self._owner(pusher)
        return self.commit_blob(self._body(pieces), digest, pusher, account, None)

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
        held = self._acquire(pusher, upload)
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
            self._release(held)
            raise UploadBusy(upload=upload, headers=_RETRY) from None
        except BaseException:
            self._release(held)
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
            raise UploadBusy(upload=stands.id, headers=_RETRY) from None
        if writer is None:
            return self.receive(pusher, stands.id, chunk, keeps=keeps)
        try:
            self._require_fit(pusher, stands, chunk)
        except BaseException:
            writer.close()
            raise
        reservation = self._reservation(pusher, stands)
        return self._reception(stands, writer, reservation, keeps=keeps, leased=False)

    def _unleased(self, pusher: Pusher, upload: str) -> Upload:
        """Return how far the session stands, which nobody has taken hold of."""
        stands = self.status(pusher, upload)
        if stands.leased_until > self._clock():
            raise UploadBusy(upload=upload, headers=_RETRY)
        return stands

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
        reception = self._received(pusher, self._unleased(pusher, upload), chunk, keeps=True)
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
        stands = self._unleased(pusher, upload)
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
            blob = self.commit_blob(reception, digest, pusher, upload.account, upload)
        except (DigestMismatch, StorageExceeded):
            reception.drop()
            self._quota.end(pusher.region, upload.account, upload.id)
            raise
        except BaseException:
            reception.abandon(keep=False)
            raise
        reception.end()
        return blob

    def commit_blob(
        self,
        content: Content,
        digest: Digest,
        pusher: Pusher,
        account: str,
        end: Upload | None,
    ) -> Blob:
        """Verify ``content`` and show it: the only way for bytes to become a visible blob.

        1. Its digest is compared with the one the client names.
        2. Its bytes become durable in the store, unless they are there already.
        3. One durable transaction adds blob and repository, links them and ends the session.

        Dying after 1 or 2 leaves bytes that no row names, which nobody sees.

        Raises:
            DigestMismatch: the digests differ.
            UploadLost: the session ``end`` is not the caller's any more.
            StorageExceeded: the blob is new to the account, and its quota has no room.
        """
        actual = content.digest(digest.algorithm)
        if actual != digest.hex:
            raise DigestMismatch(actual=f"{digest.algorithm}:{actual}", digest=str(digest))
        named = end.id if end is not None else ""
        push = Pushing(pusher.repository, pusher.subject)
        self._quota.foresee(pusher.region, account, named, push, (str(digest), content.size))
        known = self._records.stored(digest)
        if (
            known is not None
            and self._holds(known)
            and self._records.link_stored(pusher, account, known.digest, self._clock(), end)
        ):
            return known
        begun = self._clock()
        location, seal = content.place(digest)
        blob = Blob(str(digest), content.size, location, seal=seal)
        now = self._clock()
        if now - begun > self._rules.link_seconds:
            raise StoreUnavailable(part=Text("blob store"), headers=_RETRY)
        self._records.link(pusher, account, blob, now, end)
        return blob

    def expire(self) -> int:
        """Drop a batch of sessions that stood still for too long, and what belongs to none.

        Return how many; call again while it is not 0.
        """
        before = self._clock() - self._rules.expiry_seconds
        expired = self._records.expired(before, _BATCH)
        dropped = sum(self._drop(upload) for upload in expired)
        old = list(islice(self._store.leftovers(before), _BATCH))
        alive = set(self._records.existing([left.upload for left in old]))
        orphans = [left for left in old if left.upload not in alive]
        for orphan in orphans:
            self._store.discard(orphan.upload, orphan.state)
        return dropped + len(orphans)

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
            blob = self.commit_blob(body, digest, pusher, upload.account, upload)
        except (DigestMismatch, StorageExceeded):
            self._drop(upload)
            self._quota.end(pusher.region, upload.account, upload.id)
            raise
        self._clear(upload)
        return blob

    def _body(self, pieces: Sequence[bytes]) -> Body:
        body = Body(self._store, pieces)
        self._require_size(body.size)
        return body

    def _require_size(self, size: int) -> None:
        if size > self._rules.blob_bytes:
            raise BlobTooLarge(limit=self._rules.blob_bytes)

    def _owner(self, pusher: Pusher) -> str:
        return self._namespaces.require(pusher.region, namespace_of(pusher.repository)).account

    def _holds(self, blob: Blob) -> bool:
        """Whether the store has the blob's bytes, as they were; else it gets them anew."""
        try:
            return self._store.look(blob.location) == (blob.size, blob.seal)
        except (BlobMissing, StoreUnavailable):
            return False

    def _acquire(self, pusher: Pusher, upload: str) -> Upload:
        now = self._clock()
        until = now + self._rules.lease_seconds
        return self._records.acquire(pusher, _known_form(pusher, upload), now, until)

    def _release(self, held: Upload) -> None:
        with suppress(Exception):
            self._records.progress(held, self._clock(), 0)

    def _set_back(self, pusher: Pusher, held: Upload, stored: int) -> None:
        """Tell the client how much is really there: a power failure may have taken the rest."""
        stands = replace(held, size=stored, state="")
        self._records.progress(stands, self._clock(), 0)
        self._hashes.forget(held.id)
        location = upload_path(pusher.repository, held.id)
        require_in_order(stands, ContentRange(held.size, held.size), location)

    def _drop(self, upload: Upload) -> bool:
        if not self._records.remove(upload):
            return False
        self._clear(upload)
        return True

    def _clear(self, upload: Upload) -> None:
        self._hashes.forget(upload.id)
        # What cannot be removed now is found later, as belonging to no session.
        with suppress(StoreUnavailable):
            self._store.discard(upload.id, upload.state)


def _known_form(pusher: Pusher, upload: str) -> str:
    if not is_upload(upload):
        raise UploadUnknown(upload=upload[:64], repository=pusher.repository)
    return upload
