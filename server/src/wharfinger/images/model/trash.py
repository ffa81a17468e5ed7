"""Deleted images that can be restored for a while (control API, section 4)."""

import math
from typing import Final, NamedTuple

from msgspec import Struct

from wharfinger.images.model.listing import Cursor
from wharfinger_common.catalogue import images as entries
from wharfinger_common.refusals import Refusal

DAY: Final = 86_400
TRIMMING: Final = "trim-trash"
"""The kind of the jobs that hold an account's trash below its cap."""


class NotInTrash(Refusal):
    """The trash holds no such image."""

    entry = entries.NOT_IN_TRASH


class TagLive(Refusal):
    """The tag leads to an image, which restoring would hide."""

    entry = entries.TAG_LIVE


class PartGone(Refusal):
    """Something that the image is made of is neither there nor in the trash."""

    entry = entries.PART_GONE


class Trashed(Struct, frozen=True):
    """An image in the trash; ``deleted_at`` in Unix seconds."""

    id: int
    repository: str
    digest: str
    deleted_at: int
    tags: tuple[str, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """Where a page behind it begins."""
        return Cursor(public=False, repository=self.repository, digest=self.digest)


class TrashedManifest(NamedTuple):
    """A manifest in the trash, with its bytes."""

    id: int
    repository: str
    digest: str
    content: bytes


class GonePart(NamedTuple):
    """Something that an image in the trash is made of, and that is nowhere."""

    entry: int
    child: str
    repository: str
    digest: str


class Restored(Struct, frozen=True):
    """What became of the tags of a restored image: those that lead to it, and the others."""

    successful: tuple[str, ...]
    unsuccessful: tuple[str, ...]


def days_left(deleted_at: int, days: int, now: float) -> int:
    """Return in how many days an image leaves the trash, rounded up."""
    return max(math.ceil((deleted_at + days * DAY - now) / DAY), 0)
