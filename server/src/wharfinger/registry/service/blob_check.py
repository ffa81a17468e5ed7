"""Database against store, both ways: the first part of ``wharfd fsck``."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable
from wharfinger.blobstore.port import BlobStore, Leftover, StoredObject
from wharfinger.registry.model.checking import BlobRow, Checked, Remedy
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.checking import BlobChecks
from wharfinger.registry.ports.collection import CollectionRecords
from wharfinger.registry.service.throttle import Throttle
from wharfinger_common.catalogue import storage as entries
from wharfinger_common.digests import Digest
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Entry

PAGE: Final = 500
_NAMED: Final = 3
Pair = tuple[BlobRow | None, StoredObject | None]


class BlobCheck:
    """Goes over rows and stored objects side by side (``registry.ports.checking.Part``).

    Both come ordered by location, so that a page of each is all that is held in memory.
    ``grace`` is how many seconds old what belongs to nothing must be to be told of.
    """

    def __init__(
        self,
        blobs: BlobChecks,
        records: CollectionRecords,
        store: BlobStore,
        throttle: Throttle,
        *,
        clock: Clock,
        grace: float,
    ) -> None:
        self._blobs: Final = blobs
        self._records: Final = records
        self._store: Final = store
        self._throttle: Final = throttle
        self._clock: Final = clock
        self._grace: Final = grace

    def __call__(self, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Yield what is found; see the port."""
        for row, stored in merged(_rows(self._blobs), _objects(self._store)):
            if row is None and stored is not None:
                yield from self._orphan(stored, repair=repair)
            elif row is not None:
                read = deep or (stored is not None and stored.seal != row.seal)
                size = None if stored is None else stored.size
                if read or row.damaged or size != row.size:
                    yield from self.one(row, deep=read, repair=repair)

    def one(self, row: BlobRow, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Look at one blob closely; what the listing said may be past."""
        found = self._look(row, read=deep or row.damaged)
        if found is None and not row.damaged:
            return
        now = self._blobs.blob(row.digest)
        if now is None or now.location != row.location:
            return
        if row.damaged:
            yield self._fenced(row, whole=found is None, repair=repair)
        elif found is not None:
            fenced = repair and self._blobs.fence(row, int(self._clock()))
            yield Checked(found, Remedy.FENCED if fenced else Remedy.NONE)

    def _fenced(self, row: BlobRow, *, whole: bool, repair: bool) -> Checked:
        released = whole and repair and self._blobs.release(row)
        finding = self._finding("blob-fenced", entries.BLOB_FENCED, row)
        return Checked(finding, Remedy.RELEASED if released else Remedy.NONE)

    def _look(self, row: BlobRow, *, read: bool) -> Finding | None:
        """Return what is wrong with the bytes, None if nothing is; right ones are sealed."""
        try:
            with self._store.open(row.location) as reader:
                if reader.size != row.size:
                    told = {"stored": reader.size, "size": row.size}
                    return self._finding("blob-size", entries.BYTES_CUT, row, **told)
                actual = self._digest(row, reader.read) if read else row.digest
                seal = reader.seal
        except BlobMissing:
            return self._finding("blob-missing", entries.BYTES_MISSING, row)
        except StoreUnavailable as error:
            # Is it this blob, or the store? The latter ends the check.
            self._store.check()
            reason = str(error.__cause__ or error)
            return self._finding("blob-unreadable", entries.BYTES_UNREADABLE, row, error=reason)
        if actual == row.digest:
            if seal != row.seal and read:
                self._seal(row, seal)
            return None
        return self._finding("blob-digest", entries.BYTES_CORRUPT, row, actual=actual)

    def _seal(self, row: BlobRow, seal: str) -> None:
        """Take note that bytes which somebody put there are right."""
        if (noted := self._store.seal(row.location, seal)) != row.seal:
            self._blobs.seal(row, noted)

    def _digest(self, row: BlobRow, read: Callable[[int, int], Iterator[bytes]]) -> str:
        digest = Digest.parse(row.digest)
        running = digest.hasher()
        for piece in read(0, row.size):
            running.update(piece)
            self._throttle.passed(len(piece))
        return f"{digest.algorithm}:{running.hexdigest()}"

    def _orphan(self, stored: StoredObject, *, repair: bool) -> Iterator[Checked]:
        if stored.modified >= self._clock() - self._grace or not self._records.orphans([stored]):
            return
        facts = {"location": stored.location, "size": stored.size}
        finding = Finding("bytes-orphaned", Severity.WARNING, entries.BYTES_ORPHANED, facts)
        gone = repair and self._records.discard_orphans([stored], int(self._clock()))
        yield Checked(finding, Remedy.REMOVED if gone else Remedy.NONE)

    def _finding(self, check: str, entry: Entry, row: BlobRow, **facts: object) -> Finding:
        names = self._blobs.shown_in(row.digest, _NAMED)
        where = Text("in {names}", names=", ".join(names)) if names else Text("in no repository")
        told = {"digest": row.digest, "repositories": where} | facts
        return Finding(check, Severity.ERROR, entry, told)


class UploadCheck:
    """Looks for written parts of uploads without a session (``registry.ports.checking.Part``)."""

    def __init__(
        self,
        existing: Callable[[Collection[str]], Collection[str]],
        store: BlobStore,
        *,
        clock: Clock,
        grace: float,
    ) -> None:
        self._existing: Final = existing
        self._store: Final = store
        self._clock: Final = clock
        self._grace: Final = grace

    def __call__(self, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Yield what is found; see the port."""
        del deep
        before = self._clock() - self._grace
        for left in self._store.leftovers(before):
            if not self._existing([left.upload]):
                yield Checked(_half(left), self._drop(left) if repair else Remedy.NONE)

    def _drop(self, left: Leftover) -> Remedy:
        self._store.discard(left.upload, left.state)
        return Remedy.REMOVED


def _half(left: Leftover) -> Finding:
    facts = {"upload": left.upload}
    return Finding("upload-orphaned", Severity.WARNING, entries.UPLOAD_ORPHANED, facts)


def merged(rows: Iterator[BlobRow], objects: Iterator[StoredObject]) -> Iterator[Pair]:
    """Yield what has the same location together, what stands alone with None."""
    row, stored = next(rows, None), next(objects, None)
    while row is not None or stored is not None:
        if stored is None or (row is not None and row.location < stored.location):
            yield row, None
            row = next(rows, None)
        elif row is None or stored.location < row.location:
            yield None, stored
            stored = next(objects, None)
        else:
            yield row, stored
            row, stored = next(rows, None), next(objects, None)


def _rows(blobs: BlobChecks) -> Iterator[BlobRow]:
    after = ""
    while page := blobs.blobs(after, PAGE):
        yield from page
        after = page[-1].location


def _objects(store: BlobStore) -> Iterator[StoredObject]:
    after = ""
    while page := store.objects(after, PAGE):
        yield from page
        after = page[-1].location
