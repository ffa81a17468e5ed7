"""The use cases of reading and removing blobs (OCI distribution 1.1)."""

from collections.abc import Iterator
from io import FileIO
from typing import Final

from wharfinger.blobstore.errors import BlobMissing
from wharfinger.blobstore.port import BlobReader, BlobStore
from wharfinger.quotas.service.traffic import TrafficQuota, Uncounted
from wharfinger.registry.model.blobs import Blob, BlobDamaged, BlobUnknown
from wharfinger.registry.model.collection import young_since
from wharfinger.registry.ports import BlobRecords, Clock
from wharfinger.registry.service.proofs import Proofs
from wharfinger_common.digests import Digest


class Blobs:
    """Finds, opens and removes blobs of a repository. Blocking; any thread may call.

    ``grace`` is how many seconds a blob stays that no manifest needs.
    """

    def __init__(
        self,
        records: BlobRecords,
        store: BlobStore,
        *,
        clock: Clock,
        grace: float,
        traffic: TrafficQuota | None = None,
        proofs: Proofs | None = None,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._clock: Final = clock
        self._grace: Final = grace
        self.traffic: Final = traffic or Uncounted()
        self._proofs: Final = proofs or Proofs(records, store, clock=clock)

    def find(self, region: str, repository: str, digest: Digest) -> Blob:
        """Return what is known of the blob, and whose it is.

        Raises:
            BlobUnknown: the repository does not show it.
            BlobDamaged: its bytes are known to be damaged.
        """
        return _required(self._records.find(region, repository, str(digest)), repository, digest)

    def promise(self, region: str, repository: str, digest: Digest) -> Blob:
        """Do as `find` for a client that asks whether it must push the blob.

        The blob then stays for at least a quarter of the grace, also if no manifest needs it
        yet (OCI distribution 1.1, Checking if content exists in the registry).
        """
        now = self._clock()
        found = self._records.hold(
            region, repository, str(digest), young_since(now, self._grace), int(now)
        )
        return _required(found, repository, digest)

    def open(self, blob: Blob, first: int = 0, length: int | None = None) -> BlobReader:
        """Return a reader of the blob's bytes from ``first`` on, which the caller closes.

        What somebody else put there since it was verified is read whole first.

        Raises:
            BlobDamaged: the store does not hold them as they were committed.
            BlobLost: the store cannot give them now.
        """
        try:
            reader = self._store.open(blob.location, first, length)
        except BlobMissing:
            raise self._proofs.missing(blob) from None
        try:
            self._proofs.require_read(blob, reader)
        except BaseException:
            reader.close()
            raise
        return reader

    def pieces(self, blob: Blob, reader: BlobReader, first: int, length: int) -> Iterator[bytes]:
        """Yield what is asked for; the last piece of a whole blob only if all of it is right.

        Raises:
            BlobDamaged: it is not.
        """
        pieces = reader.read(first, length)
        return self._proofs.streamed(blob, pieces) if length == blob.size else pieces

    def url(self, blob: Blob, seconds: int) -> str | None:
        """Return where a client may get the blob for ``seconds``, None if only from here.

        The store is asked for a byte of it: nobody is sent to what is gone or was replaced.

        Raises:
            BlobDamaged: the store does not hold the bytes as they were committed.
            BlobLost: the store cannot give them now.
        """
        url = self._store.url(blob.location, seconds)
        if url is not None:
            with self.open(blob, 0, 1) as reader:
                next(reader.read(0, 1), None)
        return url

    def file(self, blob: Blob) -> FileIO | None:
        """Return the blob's open file, which the caller closes; None where blobs are no files.

        A file that somebody wrote to since it was verified is read whole first.

        Raises:
            BlobDamaged: the store does not hold the bytes as they were committed.
            BlobLost: the store cannot give them now.
        """
        path = self._store.path(blob.location)
        if path is None:
            return None
        try:
            file = FileIO(path)
        except FileNotFoundError:
            raise self._proofs.missing(blob) from None
        except OSError:
            raise self._proofs.lost(blob) from None
        try:
            self._proofs.require_right(blob, file)
        except BaseException:
            file.close()
            raise
        return file

    def delete(self, region: str, repository: str, digest: Digest) -> None:
        """Take the blob out of the repository; its bytes go when no repository shows them.

        Raises:
            BlobUnknown: the repository does not show it.
            BlobReferenced: a manifest of the repository needs it.
        """
        self._records.unlink(region, repository, str(digest))


def _required(blob: Blob | None, repository: str, digest: Digest) -> Blob:
    if blob is None:
        raise BlobUnknown(digest=str(digest), repository=repository)
    if blob.damaged:
        raise BlobDamaged(digest=str(digest), repository=repository)
    return blob
