"""The trash: what is in it, restoring, and what leaves it for good."""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from wharfinger.identity.model import Caller, Role
from wharfinger.images.model.names import ImageName
from wharfinger.images.model.trash import (
    DAY,
    NotInTrash,
    PartGone,
    Restored,
    TagLive,
    Trashed,
    days_left,
)
from wharfinger.images.model.trees import children_first
from wharfinger.images.ports import Changes, Clock, ImageStore, TrashUpkeep
from wharfinger.images.service.doors import Doors
from wharfinger.jobs.ports import Lease
from wharfinger.registry.model.repositories import Place

SEES: Final = frozenset({Role.READER, Role.WRITER})
"""Either suffices to see the trash: the sources are split (control API, section 1)."""

BATCH: Final = 500
EXPIRY_SECONDS: Final = 3600.0


class TrashPage(Struct, frozen=True):
    """A page of the trash, with the days that each image has left; ``more`` behind the last."""

    entries: Sequence[tuple[Trashed, int]]
    more: bool


class Trash:
    """Blocking; any thread may call. ``days`` is how long images stay, ``most`` a list's bound."""

    def __init__(
        self, store: ImageStore, doors: Doors, clock: Clock, *, days: int, most: int
    ) -> None:
        self._store: Final = store
        self._doors: Final = doors
        self._clock: Final = clock
        self._days: Final = days
        self._most: Final = most

    def list(
        self, caller: Caller, namespace: str, limit: int | None, after: tuple[str, str]
    ) -> TrashPage:
        """Return a page of what the caller may see in the trash, of one namespace if it is named.

        Raises:
            RoleMissing: nothing, or no such namespace is its account's.
        """
        visible = self._doors.visible(caller, SEES)
        wanted = [self._doors.one_of(visible, namespace)] if namespace else visible
        most = min(limit or self._most, self._most)
        now = self._clock()
        with self._store.reading() as records:
            found = records.trashed(caller.region, wanted, after, most + 1, self._since(now))
        entries = [(one, days_left(one.deleted_at, self._days, now)) for one in found[:most]]
        return TrashPage(entries, len(found) > most)

    def restore_tags(self, caller: Caller, image: ImageName, shown: str) -> Restored:
        """Restore an image with all tags that no other image has by now.

        What it lists comes back with it, where it is in the trash too. The quota is asked again.

        Raises:
            RoleMissing, HostForeign: the caller may not push there.
            NotInTrash: the trash has no such image.
            PartGone: something that it lists is gone for good.
            StorageExceeded: the account has no room for it.
        """
        self._doors.write(caller, image)
        with self._store.writing() as changes:
            work = self._open(changes, caller, image, shown)
            live = changes.tags_among(work.repository, work.entry.tags)
            digest, names = work.entry.digest, work.entry.tags
            free = tuple(tag for tag in names if live.get(tag, digest) == digest)
            taken = tuple(tag for tag in names if tag not in free)
            changes.audit(caller, "image.restore", shown, {"digest": digest, "tags": free})
            self._finish(work, free, None)
        return Restored(free, taken)

    def restore(self, caller: Caller, image: ImageName, shown: str) -> None:
        """Restore an image: by digest as `restore_tags`, by tag with that tag alone.

        In the latter case it stays in the trash with its other tags.

        Raises:
            TagLive: the tag leads to an image.
            RoleMissing, HostForeign, NotInTrash, PartGone, StorageExceeded: as `restore_tags`.
        """
        if image.digest:
            self.restore_tags(caller, image, shown)
            return
        self._doors.write(caller, image)
        with self._store.writing() as changes:
            work = self._open(changes, caller, image, shown)
            if changes.tags_among(work.repository, [image.tag]):
                raise TagLive(image=shown)
            detail = {"digest": work.entry.digest, "tags": [image.tag]}
            changes.audit(caller, "image.restore", shown, detail)
            self._finish(work, [image.tag], [image.tag])

    def _open(
        self, changes: Changes, caller: Caller, image: ImageName, shown: str
    ) -> "_Restoration":
        now = self._clock()
        # The repository first, as who deletes from it does.
        key = changes.open(image.place, caller.account, int(now))
        entry = changes.take_from_trash(image.place, image.reference, self._since(now))
        if entry is None:
            raise NotInTrash(image=shown)
        return _Restoration(changes, image.place, key, entry, int(now))

    def _finish(
        self, work: "_Restoration", names: Collection[str], left: Collection[str] | None
    ) -> None:
        """Bring the image back with the tags ``names``; it loses ``left`` in the trash.

        None stands for all that it has there, and for itself.
        """
        changes = work.changes
        parts = self._parts(work)
        blobs = changes.blobs_in_trash(parts)
        for part in parts:
            changes.add_back(part, work.repository, work.at)
            changes.take_out(part, left if part is work.entry else ())
        changes.move_tags(work.repository, names, work.entry.digest, work.at)
        changes.show(work.repository, blobs, work.at)

    def _parts(self, work: "_Restoration") -> Sequence[Trashed]:
        """Return the image and what of that it lists is in the trash, each before what lists it."""
        found = {work.entry.digest: work.entry}

        def listed(digest: str) -> Sequence[str]:
            children = work.changes.listed_in_trash(found[digest])
            live = work.changes.manifest_sizes(work.repository, children)
            missing = [child for child in children if child not in live]
            found.update(
                {child: self._part(work, child) for child in missing if child not in found}
            )
            return missing

        return [found[digest] for digest in children_first(work.entry.digest, listed)]

    def _part(self, work: "_Restoration", digest: str) -> Trashed:
        part = work.changes.take_from_trash(work.place, digest, self._since(work.at))
        if part is None:
            raise PartGone(image=work.entry.digest, part=digest)
        return part

    def _since(self, now: float) -> int:
        return int(now) - self._days * DAY


class _Restoration(Struct, frozen=True):
    """An image on its way back, within its unit."""

    changes: Changes
    place: Place
    repository: int
    entry: Trashed
    at: int


class TrashKeeping:
    """Background work on the trash, and the step of a namespace's deletion. Blocking.

    ``days`` is how long images stay, ``most`` the bytes that an account may have there.
    """

    name = "trash"

    def __init__(self, upkeep: TrashUpkeep, clock: Clock, *, days: int, most: int) -> None:
        self._upkeep: Final = upkeep
        self._clock: Final = clock
        self._days: Final = days
        self._most: Final = most

    def expire(self, lease: Lease) -> float:
        """Remove what has been in the trash for long enough; a job that comes round."""
        before = int(self._clock()) - self._days * DAY
        while self._upkeep.expire(before, BATCH):
            lease.keep()
        return EXPIRY_SECONDS

    def trim(self, lease: Lease) -> None:
        """Remove what an account has beyond its cap, the longest deleted first."""
        region, account = lease.job.payload["region"], lease.job.payload["account"]
        total = 0
        for key, size in self._upkeep.sizes(region, account):
            total += size
            if total > self._most:
                while self._upkeep.remove(region, account, key, BATCH):
                    lease.keep()
                return

    def run(self, region: str, namespace: str) -> bool:
        """Remove a batch of what a deleted namespace has; see ``namespaces.ports.DeletionStep``."""
        return not self._upkeep.empty(region, namespace, BATCH)

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many images the namespace has in the trash."""
        return self._upkeep.remaining(region, namespace)
