"""Upload sessions: what is known of one, and the rules for the chunks it takes."""

import re
from typing import Final, Self

from msgspec import Struct

from wharfinger.registry.model.blobs import MAX_DIGITS
from wharfinger_common.catalogue import blobs as entries
from wharfinger_common.digests import HEX_LENGTHS
from wharfinger_common.refusals import Refusal

DEFAULT_ALGORITHM: Final = "sha256"
_CONTENT_RANGE: Final = re.compile(
    rf"(?P<first>[0-9]{{1,{MAX_DIGITS}}})-(?P<last>[0-9]{{1,{MAX_DIGITS}}})"
)


class DigestMismatch(Refusal):
    """The content has another digest than the client said."""

    entry = entries.DIGEST_MISMATCH


class UploadUnknown(Refusal):
    """The caller has no such upload in the repository."""

    entry = entries.UPLOAD_UNKNOWN


class UploadBusy(Refusal):
    """Another request holds the upload."""

    entry = entries.UPLOAD_BUSY

    @classmethod
    def of(cls, upload: str) -> Self:
        """Return the refusal for an upload's id."""
        return cls(upload=upload, headers={"Retry-After": "1"})


class UploadLost(Refusal):
    """Another request took the upload over."""

    entry = entries.UPLOAD_LOST


class ChunkOutOfOrder(Refusal):
    """The chunk leaves a gap or overlaps what stands."""

    entry = entries.CHUNK_OUT_OF_ORDER


class ContentRangeInvalid(Refusal):
    """The Content-Range is not FIRST-LAST."""

    entry = entries.CONTENT_RANGE_INVALID


class ChunkLength(Refusal):
    """The chunk's body and its Content-Range disagree."""

    entry = entries.CHUNK_LENGTH


class BlobTooLarge(Refusal):
    """The blob exceeds the limit."""

    entry = entries.BLOB_TOO_LARGE


class DigestMissing(Refusal):
    """An upload cannot be finished without a digest."""

    entry = entries.DIGEST_MISSING


class AlgorithmUnsupported(Refusal):
    """The digest algorithm cannot be verified."""

    entry = entries.ALGORITHM_UNSUPPORTED


class Pusher(Struct, frozen=True):
    """Who uploads where: all that a session is bound to, besides the owner of the namespace."""

    region: str
    repository: str
    subject: str


class Upload(Struct, frozen=True):
    """An upload session. ``size`` is the bytes acknowledged; ``fence`` numbers its holders.

    One of them may hold it until ``leased_until`` (Unix seconds); 0 when nobody does. ``state``
    is what the blob store needs to go on from ``size``. ``opening`` is whose it is while nothing
    was written of it, nor of the session anywhere; None once it has its row.
    """

    id: str
    account: str
    size: int = 0
    fence: int = 0
    leased_until: float = 0.0
    state: str = ""
    opening: Pusher | None = None


class ContentRange(Struct, frozen=True):
    """Where a chunk belongs: bytes ``first`` to ``last``, both inclusive."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """The bytes that the chunk has."""
        return self.last - self.first + 1


def parse_content_range(header: str) -> ContentRange:
    """Return what a chunk's Content-Range says (OCI distribution 1.1, Pushing a blob in chunks).

    Raises:
        ContentRangeInvalid: it is not ``FIRST-LAST``, or ends before it starts.
    """
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match["last"]) < int(match["first"]):
        raise ContentRangeInvalid(value=header[:100])
    return ContentRange(int(match["first"]), int(match["last"]))


def acknowledged(size: int) -> str:
    """Return the Range header for ``size`` acknowledged bytes.

    Of an empty upload it is ``0-0``, as clients know it from other registries: the grammar has
    no way to say that nothing stands.
    """
    return f"0-{max(0, size - 1)}"


def session_headers(location: str, upload: Upload, smallest: int = 0) -> dict[str, str]:
    """Return what an answer tells of a session that goes on at ``location``.

    ``smallest`` is the bytes that a chunk of a new one should have at least, 0 for any.
    """
    headers = {
        "Location": location,
        "Range": acknowledged(upload.size),
        "Docker-Upload-UUID": upload.id,
    }
    return headers | ({"OCI-Chunk-Min-Length": str(smallest)} if smallest else {})


def require_in_order(upload: Upload, chunk: ContentRange | None, location: str) -> None:
    """Let a chunk pass that starts where the upload stands; None is a stream without a range.

    Raises:
        ChunkOutOfOrder: it does not; the headers tell ``location`` and what stands.
    """
    if chunk is not None and chunk.first != upload.size:
        headers = {"Range": acknowledged(upload.size), "Location": location}
        raise ChunkOutOfOrder(start=chunk.first, size=upload.size, headers=headers)


def require_algorithm(algorithm: str) -> str:
    """Return ``algorithm`` if blobs can be verified with it.

    Raises:
        AlgorithmUnsupported: it is neither sha256 nor sha512.
    """
    if algorithm not in HEX_LENGTHS:
        raise AlgorithmUnsupported(algorithm=algorithm[:64])
    return algorithm


def upload_path(repository: str, upload: str) -> str:
    """Return the path at which an upload session is reached; the id stands in it, not behind."""
    return f"/v2/{repository}/blobs/uploads/{upload}"


def blob_path(repository: str, digest: str) -> str:
    """Return the path of a blob."""
    return f"/v2/{repository}/blobs/{digest}"
