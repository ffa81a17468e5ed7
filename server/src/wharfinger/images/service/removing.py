"""Deleting images and taking tags away."""

from typing import Final

from wharfinger.identity.model import Caller
from wharfinger.images.model.inspection import ImageUnknown
from wharfinger.images.model.names import ImageName
from wharfinger.images.ports import Changes, ImageStore
from wharfinger.images.service.doors import Doors
from wharfinger.registry.model.manifests import ManifestReferenced


class Removing:
    """Blocking; any thread may call. ``shown`` is how messages name the image."""

    def __init__(self, store: ImageStore, doors: Doors) -> None:
        self._store: Final = store
        self._doors: Final = doors

    def delete(self, caller: Caller, image: ImageName, shown: str) -> str:
        """Delete an image with every tag that its repository has for it; return its config's id.

        Of what has no config, the manifest's digest. Other repositories keep theirs (control API,
        section 4).

        Raises:
            RoleMissing, HostForeign: the caller may not delete there.
            ImageUnknown: there is no such image.
            ManifestReferenced: a stored index lists it.
        """
        self._doors.write(caller, image)
        with self._store.writing() as changes:
            repository = _lock(changes, image, shown)
            digest = image.digest or changes.digest_of(repository, image.tag)
            config = None if digest is None else changes.config_of(repository, digest)
            if digest is None or config is None:
                raise ImageUnknown(image=shown)
            require_free(changes, repository, digest)
            changes.remove(repository, digest)
            changes.audit(caller, "image.delete", shown, {"digest": digest})
        return config or digest

    def untag(self, caller: Caller, image: ImageName, shown: str) -> None:
        """Take a tag away; the image stays, reachable by its digest.

        Raises:
            RoleMissing, HostForeign: the caller may not delete there.
            ImageUnknown: there is no such tag.
        """
        self._doors.write(caller, image)
        with self._store.writing() as changes:
            repository = _lock(changes, image, shown)
            if not changes.remove_tag(repository, image.tag):
                raise ImageUnknown(image=shown)
            changes.audit(caller, "image.untag", shown, {})


def require_free(changes: Changes, repository: int, digest: str) -> None:
    """Let a manifest go if no index lists it.

    Raises:
        ManifestReferenced: one does.
    """
    parent = changes.parent(repository, digest)
    if parent is not None:
        raise ManifestReferenced(digest=digest, parent=parent)


def _lock(changes: Changes, image: ImageName, shown: str) -> int:
    repository = changes.lock(image.place)
    if repository is None:
        raise ImageUnknown(image=shown)
    return repository
