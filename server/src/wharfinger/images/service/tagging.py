"""Tagging: another name for an image, in its repository or in another one of the region."""

from collections.abc import Sequence
from typing import Final

from wharfinger.identity.model import Caller
from wharfinger.images.model.inspection import ImageUnknown
from wharfinger.images.model.names import HostForeign, ImageName
from wharfinger.images.model.tagging import COMPANIONS, ChildMissing, companion_tags
from wharfinger.images.model.trees import children_first
from wharfinger.images.ports import Changes, Clock, ImageStore
from wharfinger.images.service.doors import PULLS, Doors
from wharfinger.registry.model.repositories import Place


class Tagging:
    """Blocking; any thread may call."""

    def __init__(self, store: ImageStore, doors: Doors, clock: Clock) -> None:
        self._store: Final = store
        self._doors: Final = doors
        self._clock: Final = clock

    def tag(
        self, caller: Caller, source: ImageName, target: ImageName, shown: tuple[str, str]
    ) -> None:
        """Let the target's tag lead to the source's image; a tag that exists moves.

        In another repository the image is copied, with all that it references: one transaction a
        manifest, those that an index lists before the index. So are the signatures, attestations
        and others that refer to it, as far as they are whole; they come before the tag, so that
        nobody meets the image without them. ``shown`` are how messages name both.

        Raises:
            RoleMissing: the caller may not pull the source, or not push to the target.
            HostForeign: they are not both of the region that is called.
            ImageUnknown: there is no such source.
            ChildMissing: something that the source is made of is missing.
        """
        self._doors.write(caller, target)
        self._doors.read(caller, source, PULLS)
        if source.region != target.region:
            raise HostForeign(image=shown[0], host=source.region, own=target.region)
        with self._store.reading() as records:
            found = records.find(source.place, source.reference)
        if found is None:
            raise ImageUnknown(image=shown[0])
        if source.place != target.place:
            image = self._whole(source.place, found.digest)
            for digest in image[:-1]:
                with self._store.writing() as changes:
                    self._copy(changes, caller, source, target.place, digest)
            self._copy_companions(caller, source, target.place, image)
        with self._store.writing() as changes:
            at = int(self._clock())
            key = changes.open(target.place, caller.account, at)
            changes.move_tags(key, [target.tag], found.digest, at)
            changes.audit(caller, "image.tag", shown[1], {"from": shown[0], "digest": found.digest})
            self._copy(changes, caller, source, target.place, found.digest)

    def _copy(
        self, changes: Changes, caller: Caller, source: ImageName, target: Place, digest: str
    ) -> None:
        """Let the target have the manifest: the last that a unit does."""
        at = int(self._clock())
        key = changes.open(target, caller.account, at)
        origin = key if source.place == target else changes.share(source.place)
        if origin is None or not changes.copy(origin, key, digest, at):
            raise ChildMissing(image=f"{source.repository}@{digest}")

    def _whole(self, place: Place, digest: str) -> list[str]:
        """Return all manifests that an index leads to, each before those that list it."""
        with self._store.reading() as records:
            return children_first(digest, lambda one: records.children(place, one))

    def _copy_companions(
        self, caller: Caller, source: ImageName, target: Place, image: Sequence[str]
    ) -> None:
        """Copy what refers to the image's manifests; what of it is not whole stays behind."""
        copied = set(image)
        for digest, tag in self._companions(source.place, image):
            try:
                for each in self._whole(source.place, digest):
                    if each not in copied:
                        with self._store.writing() as changes:
                            self._copy(changes, caller, source, target, each)
                        copied.add(each)
            except ChildMissing:
                continue
            if tag:
                self._keep_tag(caller, target, tag, digest)

    def _companions(self, place: Place, image: Sequence[str]) -> list[tuple[str, str]]:
        """Return the manifests that belong to the image, with the tag that says so, or ''."""
        found: dict[tuple[str, str], None] = {}
        waiting, seen = list(image), set(image)
        with self._store.reading() as records:
            while waiting and len(found) < COMPANIONS:
                digest = waiting.pop()
                tagged = records.tags_among(place, companion_tags(digest))
                referring = records.referrers(place, digest, COMPANIONS)
                belonging = [(led, tag) for tag, led in sorted(tagged.items())]
                belonging += [(one, "") for one in referring]
                found |= dict.fromkeys(belonging)
                new = {one for one, _ in belonging} - seen
                seen |= new
                waiting += sorted(new)
        return list(found)[:COMPANIONS]

    def _keep_tag(self, caller: Caller, target: Place, tag: str, digest: str) -> None:
        """Let the tag lead there, unless the target has one of that name: it may have more."""
        at = int(self._clock())
        with self._store.writing() as changes:
            key = changes.open(target, caller.account, at)
            if changes.digest_of(key, tag) is None:
                changes.move_tags(key, [tag], digest, at)
