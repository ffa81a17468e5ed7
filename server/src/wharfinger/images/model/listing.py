"""Entries of lists of images, and pages of them."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from wharfinger.regions import GLOBAL
from wharfinger.registry.model.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEXES,
    OCI_INDEX,
    OCI_MANIFEST,
)

_PUBLIC: Final = f"{GLOBAL}:"
_TYPE_NAMES: Final = {
    DOCKER_MANIFEST: "Docker Image Manifest V2, Schema 2",
    DOCKER_LIST: "Docker Manifest List",
    OCI_MANIFEST: "OCI Image Manifest v1",
    OCI_INDEX: "OCI Image Index v1",
}


def type_name(media_type: str) -> str:
    """Return how lists call a media type (control API, Shapes); its own name where none is set."""
    return _TYPE_NAMES.get(media_type, media_type)


class Cursor(Struct, frozen=True):
    """The entry that a page ended with; the next page begins behind it.

    Any text is one: what names no image is a place between two of them.
    """

    public: bool
    repository: str
    digest: str

    @property
    def namespace(self) -> str:
        """The namespace of the repository."""
        return self.repository.partition("/")[0]

    def __str__(self) -> str:
        return f"{_PUBLIC * self.public}{self.repository}@{self.digest}"

    @classmethod
    def of(cls, text: str) -> "Cursor":
        """Return the cursor that ``text`` spells."""
        public = text.startswith(_PUBLIC)
        repository, _, digest = text.removeprefix(_PUBLIC).partition("@")
        return cls(public, repository, digest)


class Tagged(Enum):
    """Which manifests a list shows."""

    ANY = "any"
    ONLY = "only"
    NONE = "none"


class Listed(Struct, frozen=True):
    """A manifest in a list.

    ``size`` is the layers' bytes, of an index the manifest's own; ``created`` in Unix seconds is
    None where the image has no date; ``labels`` are a JSON object.
    """

    region: str
    repository: str
    digest: str
    media_type: str
    size: int
    config: str | None
    created: int | None
    parent: str
    labels: str
    tags: tuple[str, ...] = ()

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEXES

    @property
    def cursor(self) -> Cursor:
        """Where a page behind it begins."""
        return Cursor(self.region == GLOBAL, self.repository, self.digest)


class Scope(Struct, frozen=True):
    """What of a namespace a list shows; no ``repositories`` stand for all there are."""

    region: str
    namespace: str
    repositories: frozenset[str] = frozenset()


class ImagePage(Struct, frozen=True):
    """A page of a list; ``next`` is where the following one begins, None for no more."""

    images: Sequence[Listed]
    next: Cursor | None
