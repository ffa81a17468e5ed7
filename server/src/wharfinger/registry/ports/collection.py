"""What collection needs: records of what is not needed, and somebody to tell."""

from collections.abc import Collection, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from wharfinger.blobstore.port import StoredObject
from wharfinger.registry.model.collection import Garbage, PassState, Step, Task


class UnusedLink(NamedTuple):
    """A blob in a repository, by the repository's key."""

    repository: int
    digest: str


class DiscardedBytes(NamedTuple):
    """Bytes to delete; ``size`` in bytes."""

    location: str
    size: int


T = TypeVar("T")


class Scan(NamedTuple, Generic[T]):
    """A piece of a pass: what was found, where the next piece begins (None: at the end)."""

    found: Sequence[T]
    cursor: str | None
    examined: int


class CollectionRecords(Protocol):
    """What can go, and its going. Each method is one transaction; any thread may call.

    What removes checks once more within its own unit that nothing needs the thing, and holds off
    whoever wants to use it meanwhile. Cursors are the records' own; '' begins.
    """

    def unused_links(self, cursor: str, examine: int, limit: int, before: int) -> Scan[UnusedLink]:
        """Look at the next ``examine`` links for unused ones; stop after finding ``limit``.

        Unused is a link of before ``before`` (Unix seconds) whose blob no manifest of its
        repository needs.
        """

    def unlink(self, links: Collection[UnusedLink], before: int) -> int:
        """Remove those of the links that are still unused; return how many went."""

    def unlinked_blobs(self, cursor: str, examine: int, limit: int) -> Scan[str]:
        """Look at the next ``examine`` blobs for those that nothing shows or keeps."""

    def remove_blobs(self, digests: Collection[str], now: int) -> Sequence[DiscardedBytes]:
        """Remove those of the blobs that nothing shows or keeps, and discard their bytes."""

    def discarded(self, cursor: str, limit: int, before: int) -> Scan[DiscardedBytes]:
        """Return bytes that were discarded before ``before`` (Unix seconds)."""

    def forget(self, locations: Collection[str]) -> None:
        """Take note that the bytes are deleted."""

    def orphans(self, objects: Collection[StoredObject]) -> Sequence[StoredObject]:
        """Return those that neither a blob nor a discard nor an upload session names."""

    def discard_orphans(self, objects: Collection[StoredObject], now: int) -> int:
        """Discard those that no blob names at this moment; return how many."""

    def load(self, task: str) -> PassState:
        """Return how far the task's pass has come."""

    def save(self, task: str, state: PassState) -> None:
        """Write down how far the task's pass has come."""


class GarbageLists(Protocol):
    """What collection would remove, a page at a time in an order of its own."""

    def links(self, cursor: str, limit: int, before: int) -> Scan[Garbage]:
        """Return links that would go; ``before`` as in `CollectionRecords.unused_links`."""

    def blobs(self, cursor: str, limit: int, before: int) -> Scan[Garbage]:
        """Return blobs that would go, also those that only such links show."""

    def discarded(self, cursor: str, limit: int) -> Scan[Garbage]:
        """Return bytes that are discarded already."""

    def uploads(self, cursor: str, limit: int, before: float) -> Scan[Garbage]:
        """Return upload sessions that were last written before ``before`` (Unix seconds)."""

    def sessions(self, ids: Collection[str]) -> Collection[str]:
        """Return those of the ids that have an upload session."""


class CollectionObserver(Protocol):
    """Is told what collection does, for metrics and logs; must not raise."""

    def stepped(self, task: Task, step: Step) -> None:
        """A step is done."""

    def finished(self, task: Task, state: PassState) -> None:
        """A whole pass is done; its figures are in ``state``."""

    def undeleted(self, location: str, error: Exception) -> None:
        """Bytes could not be deleted; they are tried again in the next pass."""
