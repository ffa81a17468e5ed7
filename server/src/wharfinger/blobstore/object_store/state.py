"""What is known of an upload between two requests: the text in the upload's row."""

from typing import Final

import msgspec

from wharfinger.blobstore.errors import UploadShort

MAX_PARTS: Final = 10_000
LARGEST_PART: Final = 5 * 1024**3


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of an upload: a part by its ETag, or a tail by its location and ``etag``."""

    name: str
    size: int
    etag: str = ""


class State(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How an upload stands: the bytes of ``parts``, then those of ``tails``.

    ``location`` and ``multipart`` are '' as long as there is no part. ``stale`` are locations of
    tails that count no more. ``sealed``: the multipart upload was completed, to be read.
    """

    location: str = ""
    multipart: str = ""
    parts: tuple[Piece, ...] = ()
    tails: tuple[Piece, ...] = ()
    stale: tuple[str, ...] = ()
    sealed: bool = False

    @property
    def size(self) -> int:
        """The bytes of the upload."""
        return sum(piece.size for piece in (*self.parts, *self.tails))

    @property
    def objects(self) -> tuple[str, ...]:
        """The locations of all that lies in the store besides the multipart upload."""
        return (*self.stale, *(tail.name for tail in self.tails))

    def encoded(self) -> str:
        """Return the text for the row; '' where there is nothing to know."""
        return "" if self == State() else msgspec.json.encode(self).decode()


def decode(text: str) -> State:
    """Return the state that ``text`` holds.

    Raises:
        UploadShort: it is not from this store.
    """
    try:
        return msgspec.json.decode(text, type=State) if text else State()
    except msgspec.DecodeError:
        raise UploadShort(0) from None


def without(made: State, kept: State) -> State:
    """Return what ``made`` names in the store and ``kept`` does not."""
    foreign = made.multipart != kept.multipart
    stale = tuple(name for name in made.objects if name not in {*kept.objects})
    return State(
        location=made.location if foreign else "",
        multipart=made.multipart if foreign else "",
        stale=stale,
        sealed=made.sealed and foreign,
    )


def part_bytes(number: int, first: int, largest_blob: int) -> int:
    """Return the size of part ``number`` (from 1), the first one having ``first`` bytes.

    Parts grow evenly, so that `MAX_PARTS` of them hold the largest blob while the buffers of
    small ones stay small.
    """
    missing = max(0, largest_blob - MAX_PARTS * first)
    step = -(-2 * missing // (MAX_PARTS * (MAX_PARTS - 1)))
    return min(LARGEST_PART, first + (number - 1) * step)
