"""Collection: removing what nothing needs, in short steps, beside everything else that runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

from wharfinger.blobstore.port import BlobStore, Leftover, StoredObject
from wharfinger.registry.model.collection import (
    CollectionRules,
    Garbage,
    Reason,
    Step,
    Task,
    Thing,
)
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.collection import (
    CollectionObserver,
    CollectionRecords,
    DiscardedBytes,
    GarbageLists,
    Scan,
)

EXAMINED: Final = 1000
"""Rows or objects that a step looks at, at most."""
REMOVED: Final = 100
"""What a step removes at most, in one writing unit."""
_DELETING: Final = 4
"""Bytes deleted from the store at once: an object store takes its time for each."""
T = TypeVar("T")


class Collector:
    """Does single steps of collection; `Passes` strings them together. Blocking.

    Any number may run at once, in any process: what removes checks in its own unit that nothing
    needs the thing. A step holds no unit while it talks to the store.
    """

    def __init__(
        self,
        records: CollectionRecords,
        store: BlobStore,
        rules: CollectionRules,
        *,
        clock: Clock,
        observer: CollectionObserver,
    ) -> None:
        self._records: Final = records
        self._store: Final = store
        self._rules: Final = rules
        self._clock: Final = clock
        self._observer: Final = observer
        self._steps: Final[Mapping[Task, Callable[[str], Step]]] = {
            Task.LINKS: self.links,
            Task.BLOBS: self.blobs,
            Task.BYTES: self.bytes,
            Task.ORPHANS: self.orphans,
        }

    def step(self, task: Task, cursor: str) -> Step:
        """Do the step of ``task`` that begins at ``cursor``, '' for the first one."""
        step = self._steps[task](cursor)
        self._observer.stepped(task, step)
        return step

    def links(self, cursor: str) -> Step:
        """Take blobs out of repositories whose manifests have not needed them for the grace."""
        before = int(self._clock() - self._rules.grace)
        scan = self._records.unused_links(cursor, EXAMINED, REMOVED, before)
        removed = self._records.unlink(scan.found, before) if scan.found else 0
        return Step(scan.cursor, scan.examined, removed)

    def blobs(self, cursor: str) -> Step:
        """Remove blobs that no repository shows and nothing else keeps; discard their bytes."""
        scan = self._records.unlinked_blobs(cursor, EXAMINED, REMOVED)
        gone = self._records.remove_blobs(scan.found, int(self._clock())) if scan.found else ()
        return Step(scan.cursor, scan.examined, len(gone), sum(each.size for each in gone))

    def bytes(self, cursor: str) -> Step:
        """Delete bytes that were discarded longer ago than the delay.

        Whoever read a row before it went has had that time to open its bytes. Dying half way
        leaves rows of bytes that are gone, and deleting those again does nothing.
        """
        scan = self._records.discarded(cursor, REMOVED, int(self._clock() - self._rules.delay))
        if not scan.found:
            return Step(None)
        with ThreadPoolExecutor(_DELETING) as threads:
            failures = list(threads.map(self._delete, scan.found))
        gone = [each for each, error in zip(scan.found, failures, strict=True) if error is None]
        if not gone and failures[-1] is not None:
            # Not one: the store is away rather than a file.
            raise failures[-1]
        self._records.forget([each.location for each in gone])
        return Step(scan.cursor, scan.examined, len(gone), sum(each.size for each in gone))

    def orphans(self, cursor: str) -> Step:
        """Discard bytes in the store that no row names and that are older than their grace.

        Younger ones may belong to a push that has placed its bytes and not yet added its row.
        """
        objects = self._store.objects(cursor, EXAMINED)
        now = self._clock()
        old = [each for each in objects if each.modified < now - self._rules.orphan_grace]
        found = list(islice(self._records.orphans(old), REMOVED)) if old else []
        removed = self._records.discard_orphans(found, int(now)) if found else 0
        after = _behind(objects, found)
        return Step(after, len(objects), removed, sum(each.size for each in found))

    def _delete(self, each: DiscardedBytes) -> Exception | None:
        try:
            self._store.delete(each.location)
        except Exception as error:  # whatever it is, the others can still go
            self._observer.undeleted(each.location, error)
            return error
        return None


class GarbageReport:
    """Tells what collection would remove, and why; removes nothing. Blocking."""

    def __init__(
        self,
        lists: GarbageLists,
        records: CollectionRecords,
        store: BlobStore,
        rules: CollectionRules,
        clock: Clock,
    ) -> None:
        self._lists: Final = lists
        self._records: Final = records
        self._store: Final = store
        self._rules: Final = rules
        self._clock: Final = clock

    def __iter__(self) -> Iterator[Garbage]:
        """Yield everything that would go now or after the delay; holds one page in memory."""
        now = self._clock()
        before = int(now - self._rules.grace)
        yield from _paged(lambda cursor: self._lists.links(cursor, EXAMINED, before))
        yield from _paged(lambda cursor: self._lists.blobs(cursor, EXAMINED, before))
        yield from _paged(lambda cursor: self._lists.discarded(cursor, EXAMINED))
        idle = now - self._rules.upload_expiry
        yield from _paged(lambda cursor: self._lists.uploads(cursor, EXAMINED, idle))
        yield from self._leftovers(idle)
        yield from self._orphans(now - self._rules.orphan_grace)

    def _leftovers(self, before: float) -> Iterator[Garbage]:
        """Yield what is left of uploads whose sessions are gone."""
        leftovers = self._store.leftovers(before)
        while page := list(islice(leftovers, EXAMINED)):
            alive = set(self._lists.sessions([each.upload for each in page]))
            yield from (_leftover(each) for each in page if each.upload not in alive)

    def _orphans(self, before: float) -> Iterator[Garbage]:
        after = ""
        while objects := self._store.objects(after, EXAMINED):
            old = [each for each in objects if each.modified < before]
            for each in self._records.orphans(old) if old else ():
                yield _orphan(each)
            after = objects[-1].location


def _leftover(left: Leftover) -> Garbage:
    return Garbage(Thing.UPLOAD, Reason.ORPHANED, left.upload, left.size, int(left.written))


def _orphan(stored: StoredObject) -> Garbage:
    return Garbage(Thing.BYTES, Reason.ORPHANED, stored.location, stored.size, int(stored.modified))


def _paged(page: Callable[[str], Scan[T]]) -> Iterator[T]:
    cursor: str | None = ""
    while cursor is not None:
        scan = page(cursor)
        yield from scan.found
        cursor = scan.cursor


def _behind(objects: Sequence[StoredObject], found: Sequence[StoredObject]) -> str | None:
    """Return where the sweep goes on: behind what was handled, None at the end."""
    if len(found) == REMOVED:
        return found[-1].location
    return objects[-1].location if len(objects) == EXAMINED else None
