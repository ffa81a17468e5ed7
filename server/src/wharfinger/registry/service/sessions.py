"""The life of upload sessions: opened, found, held by one request at a time, ended, expired.

To open one writes nothing down: its id tells that it was opened (`UploadIds`). The row comes with
the first bytes, and when a session has ended its id is kept until it could not begin any more.
"""

from contextlib import suppress
from itertools import islice
from typing import Final

from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.blobstore.names import is_upload
from wharfinger.blobstore.port import BlobStore
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.upload_ids import UploadIds
from wharfinger.registry.model.uploads import Pusher, Upload, UploadBusy, UploadUnknown
from wharfinger.registry.ports import Clock, Namespaces, UploadRecords
from wharfinger.registry.service.hashes import RunningHashes
from wharfinger_common.names import namespace_of

_BATCH: Final = 100


class Sessions:
    """Blocking; any thread may call."""

    def __init__(
        self,
        records: UploadRecords,
        store: BlobStore,
        namespaces: Namespaces,
        ids: UploadIds,
        hashes: RunningHashes,
        clock: Clock,
        lease_seconds: float,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._namespaces: Final = namespaces
        self._ids: Final = ids
        self._hashes: Final = hashes
        self._clock: Final = clock
        self._lease_seconds: Final = lease_seconds

    def new(self, pusher: Pusher, account: str) -> Upload:
        """Return a session that nobody has heard of yet."""
        return Upload(self._ids.new(pusher, account, self._clock()), account, opening=pusher)

    def owner(self, pusher: Pusher) -> str:
        """Return the account that owns the pusher's namespace.

        Raises:
            NamespaceUnknown: the repository's namespace does not exist.
        """
        return self._namespaces.require(pusher.region, namespace_of(pusher.repository)).account

    def find(self, pusher: Pusher, upload: str) -> Upload:
        """Return how far the session stands.

        Raises:
            UploadUnknown: the pusher has no such session.
        """
        found = self._records.find(pusher, _known_form(pusher, upload))
        found = found or self._opening(pusher, upload)
        if found is None:
            raise UploadUnknown(upload=upload, repository=pusher.repository)
        return found

    def free(self, pusher: Pusher, upload: str) -> Upload:
        """Return how far the session stands, which nobody has taken hold of.

        Raises:
            UploadUnknown: the pusher has no such session.
            UploadBusy: a request is writing it.
        """
        stands = self.find(pusher, upload)
        if stands.leased_until > self._clock():
            raise UploadBusy.of(upload)
        return stands

    def acquire(self, pusher: Pusher, upload: str) -> Upload:
        """Return the session, held by the caller.

        Raises:
            UploadUnknown: the pusher has no such session.
            UploadBusy: a request is writing it.
        """
        opening = self._opening(pusher, _known_form(pusher, upload))
        now = self._clock()
        return self._records.acquire(pusher, upload, now, now + self._lease_seconds, opening)

    def release(self, held: Upload) -> None:
        """Let go of a session that was not written; a failure is not told."""
        with suppress(Exception):
            self._records.progress(held, self._clock(), 0)

    def set_back(self, stands: Upload) -> None:
        """Take note that the store has less than was acknowledged, and let go."""
        self._records.progress(stands, self._clock(), 0)
        self._hashes.forget(stands.id)

    def drop(self, upload: Upload) -> bool:
        """End the session and drop its bytes; False if somebody else holds it or it has ended."""
        if not self._records.remove(upload):
            return False
        self.clear(upload)
        return True

    def clear(self, upload: Upload) -> None:
        """Drop what is kept of a session that has ended."""
        self._hashes.forget(upload.id)
        # What cannot be removed now is found later, as belonging to no session.
        with suppress(StoreUnavailable):
            self._store.discard(upload.id, upload.state)

    def expire(self, seconds: float) -> int:
        """Drop a batch of sessions that stood still for ``seconds``, and what belongs to none.

        Return how many; call again while it is not 0.
        """
        before = self._clock() - seconds
        expired = self._records.expired(before, _BATCH)
        dropped = sum(self.drop(upload) for upload in expired)
        old = list(islice(self._store.leftovers(before), _BATCH))
        alive = set(self._records.existing([left.upload for left in old]))
        orphans = [left for left in old if left.upload not in alive]
        for orphan in orphans:
            self._store.discard(orphan.upload, orphan.state)
        return dropped + len(orphans) + self._forget_ended()

    def _forget_ended(self) -> int:
        # A little longer than an id counts, as the clocks of several nodes differ.
        return self._records.forget_ended(self._clock() - 2 * self._ids.seconds, _BATCH)

    def _opening(self, pusher: Pusher, upload: str) -> Upload | None:
        """Return the session of an id that was given out, if it may still begin."""
        if not self._ids.may_begin(upload, self._clock()):
            return None
        try:
            account = self.owner(pusher)
        except NamespaceUnknown:
            return None
        if not self._ids.fits(upload, pusher, account):
            return None
        return Upload(upload, account, opening=pusher)


def _known_form(pusher: Pusher, upload: str) -> str:
    if not is_upload(upload):
        raise UploadUnknown(upload=upload[:64], repository=pusher.repository)
    return upload
