"""The one way for bytes to become a visible blob."""

from collections.abc import Sequence
from typing import Final, Protocol

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable
from wharfinger.blobstore.port import BlobStore, Placed
from wharfinger.quotas.model import Pushing
from wharfinger.quotas.service.storage import StorageQuota
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import DigestMismatch, Pusher, Upload
from wharfinger.registry.ports import Clock, UploadRecords
from wharfinger_common.digests import Digest


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


class Commit:
    """Makes content a blob that a repository shows. Blocking; any thread may call.

    ``link_seconds`` is the time from placing bytes to linking them after which they might have
    been taken for abandoned.
    """

    def __init__(
        self,
        records: UploadRecords,
        store: BlobStore,
        quota: StorageQuota,
        clock: Clock,
        link_seconds: float,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._quota: Final = quota
        self._clock: Final = clock
        self._link_seconds: Final = link_seconds

    def __call__(
        self,
        content: Content,
        digest: Digest,
        pusher: Pusher,
        account: str,
        end: Upload | None,
    ) -> Blob:
        """Verify ``content``, show it in the pusher's repository, end the session ``end``.

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
        if now - begun > self._link_seconds:
            raise StoreUnavailable.after(1)
        self._records.link(pusher, account, blob, now, end)
        return blob

    def _holds(self, blob: Blob) -> bool:
        """Whether the store has the blob's bytes, as they were; else it gets them anew."""
        try:
            return self._store.look(blob.location) == (blob.size, blob.seal)
        except (BlobMissing, StoreUnavailable):
            return False
