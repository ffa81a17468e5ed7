"""Blobs: what is known of one, which part of it a request asks for, and its headers.

Pure functions: the fast path and the ordinary route answer with the same ones.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from wharfinger_common.catalogue import blobs as entries
from wharfinger_common.refusals import Refusal

Headers = list[tuple[bytes, bytes]]
"""Response headers as ASGI takes them."""

MAX_DIGITS: Final = 19
_RANGE: Final = re.compile(r"bytes[ \t]*=[ \t]*([0-9]*)[ \t]*-[ \t]*([0-9]*)[ \t]*", re.IGNORECASE)
_CACHE: Final = b"private, max-age=31536000, immutable"


class BlobUnknown(Refusal):
    """The repository has no such blob."""

    entry = entries.BLOB_UNKNOWN


class BlobReferenced(Refusal):
    """A manifest of the repository needs the blob."""

    entry = entries.BLOB_REFERENCED


class BlobLost(Refusal):
    """The blob is known, but its bytes are not there."""

    entry = entries.BLOB_LOST


class BlobDamaged(Refusal):
    """The blob's bytes are known to be damaged; it is as good as not there until pushed again."""

    entry = entries.BLOB_DAMAGED


class RangeUnsatisfiable(Refusal):
    """The range lies outside the blob."""

    entry = entries.RANGE_UNSATISFIABLE


@dataclass(frozen=True, slots=True)
class Blob:
    """A verified blob; ``size`` in bytes, ``location`` as the blob store named it.

    ``damaged``: what lies there is known not to be what was verified, and must not be served.
    ``seal`` is what they bore when they were verified (`wharfinger.blobstore.port.Look`).
    ``account`` owns the ``repository`` that shows it, where one was asked for it.
    """

    digest: str
    size: int
    location: str
    damaged: bool = False
    seal: str = field(default="", compare=False)
    account: str = field(default="", compare=False)
    repository: str = field(default="", compare=False)


class Whole(NamedTuple):
    """All of the content."""


class Slice(NamedTuple):
    """Bytes ``first`` to ``last``, both inclusive, within the content."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """The bytes in the slice."""
        return self.last - self.first + 1


class Unsatisfiable(NamedTuple):
    """The content has nothing of what is asked for."""


Part = Whole | Slice | Unsatisfiable


def parse_range(header: str, size: int) -> Part:
    """Return the part of ``size`` bytes that a Range header asks for (RFC 9110 section 14.2).

    Several ranges, other units and what is no range are ignored, as the RFC allows: the whole
    content answers them. One that ends before it starts is unsatisfiable, as the OCI
    conformance suite wants it.
    """
    match = _RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return Whole()
    first, last = match.groups()
    if not first:
        return _suffix(_bounded(last), size)
    start, end = _bounded(first), _bounded(last) if last else size - 1
    if start >= size or end < start:
        return Unsatisfiable()
    return Slice(start, min(end, size - 1))


def _suffix(length: int, size: int) -> Part:
    if length == 0 or size == 0:
        return Unsatisfiable()
    return Slice(max(0, size - length), size - 1)


def _bounded(digits: str) -> int:
    """Return the number; one of absurd length is as good as the largest there is."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


def etag(digest: str) -> str:
    """Return the entity tag of a blob: its quoted digest, strong because the bytes never change."""
    return f'"{digest}"'


def matches(header: str, digest: str) -> bool:
    """Whether an If-None-Match header names this blob (RFC 9110 section 13.1.2)."""
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or etag(digest) in {tag.removeprefix("W/") for tag in tags}


def wanted_part(range_header: str, if_range: str, digest: str, size: int) -> Part:
    """Return the part to send, given Range and If-Range ('' for none; RFC 9110 section 13.1.5).

    A date in If-Range never matches: blobs have no Last-Modified.
    """
    if not range_header or (if_range and if_range.strip() != etag(digest)):
        return Whole()
    return parse_range(range_header, size)


def blob_headers(digest: str, size: int) -> Headers:
    """Return the headers of the answer that holds the whole blob (OCI distribution 1.1, end-2)."""
    return [*_identity(digest), (b"content-length", b"%d" % size)]


def slice_headers(digest: str, size: int, part: Slice) -> Headers:
    """Return the headers of a 206 answer with ``part`` of the blob."""
    return [
        *_identity(digest),
        (b"content-length", b"%d" % part.length),
        (b"content-range", b"bytes %d-%d/%d" % (part.first, part.last, size)),
    ]


def not_modified_headers(digest: str) -> Headers:
    """Return the headers of a 304 answer (RFC 9110 section 15.4.5)."""
    return [
        (b"etag", etag(digest).encode()),
        (b"cache-control", _CACHE),
        (b"docker-content-digest", digest.encode()),
    ]


def _identity(digest: str) -> Headers:
    return [
        (b"content-type", b"application/octet-stream"),
        (b"accept-ranges", b"bytes"),
        *not_modified_headers(digest),
    ]
