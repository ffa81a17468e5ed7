"""What is collected, why, and how far a pass over everything stored has come."""

from enum import StrEnum

from msgspec import Struct


class Task(StrEnum):
    """The passes that collection is made of; each goes over one kind of thing."""

    LINKS = "links"
    """Blobs that a repository shows though none of its manifests needs them."""
    BLOBS = "blobs"
    """Blobs that no repository shows and nothing else keeps."""
    BYTES = "bytes"
    """Bytes that were discarded some time ago."""
    ORPHANS = "orphans"
    """Bytes in the store that no row names."""


class Reason(StrEnum):
    """Why something is not needed any more."""

    UNREFERENCED = "unreferenced"
    """No manifest of the repository needs the blob, and its grace is over."""
    UNLINKED = "unlinked"
    """No repository shows the blob, and nothing else keeps it."""
    REPLACED = "replaced"
    """The blob was pushed again and has other bytes now."""
    ORPHANED = "orphaned"
    """No row names these bytes, and they are too old for a push that is still under way; of an
    upload: it has no session any more."""
    EXPIRED = "expired"
    """Nothing was sent to the upload for too long."""


class Thing(StrEnum):
    """What goes: a blob from one repository, a blob altogether, its bytes, an upload."""

    LINK = "link"
    BLOB = "blob"
    BYTES = "bytes"
    UPLOAD = "upload"


class Garbage(Struct, frozen=True):
    """One thing that collection would remove; ``size`` in bytes, ``since`` in Unix seconds.

    ``name`` is a digest, a location or an upload's id; ``since`` when it was last linked, made,
    discarded or written.
    """

    thing: Thing
    reason: Reason
    name: str
    size: int
    since: int
    repository: str = ""


class Step(Struct, frozen=True):
    """What a short piece of a pass did; ``cursor`` is where the next one begins, None at the end.

    ``size`` is the bytes of what was removed, where they are known.
    """

    cursor: str | None
    examined: int = 0
    removed: int = 0
    size: int = 0


class PassState(Struct, frozen=True):
    """The pass of a task that runs (``cursor`` is not empty), or the last one; Unix seconds."""

    cursor: str = ""
    begun_at: float = 0.0
    ended_at: float = 0.0
    examined: int = 0
    removed: int = 0
    size: int = 0


class CollectionRules(Struct, frozen=True):
    """What the operator decides; all in seconds.

    ``grace`` is how long a blob that no manifest needs stays in its repository, ``delay`` how
    long bytes outlive their row, ``orphan_grace`` how old bytes without a row have to be, and
    ``upload_expiry`` how long an upload session may stand still.
    """

    grace: float
    delay: float
    orphan_grace: float
    upload_expiry: float


def young_since(now: float, grace: float) -> int:
    """Return since when an unreferenced blob must have been linked to need no new grace yet.

    Asked whether it exists, one that is older gets its grace anew first: so whoever is told that
    a blob exists has at least a quarter of the grace to use it.
    """
    return int(now - grace * 3 / 4)
