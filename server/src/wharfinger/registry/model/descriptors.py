"""Content descriptors as manifests hold them (OCI image specification 1.1, Descriptors)."""

import re
from enum import Enum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from wharfinger_common.digests import HEX_LENGTHS, Digest, DigestInvalid

MAX_DIGEST: Final = 135
MAX_MEDIA_TYPE: Final = 255
_GRAMMAR: Final = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")

MediaType = Annotated[
    str, Meta(max_length=MAX_MEDIA_TYPE, pattern=r"^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
]
"""Printable ASCII: wide enough for every type in use, and fit for a header."""

OptionalMediaType = Annotated[
    str, Meta(max_length=MAX_MEDIA_TYPE, pattern=r"^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?\Z")
]
"""The same, or empty: Go clients write a missing one so."""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A descriptor as it stands in a manifest; fields that the service does not use are skipped."""

    media_type: MediaType
    digest: str
    size: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Kind(Enum):
    """What a reference needs to find: a blob, a manifest, or (unknown types in an index) either."""

    BLOB = "blob"
    MANIFEST = "manifest"
    EITHER = "blob or manifest"


class Reference(Struct, frozen=True):
    """One thing that a manifest is made of; ``size`` in bytes.

    ``required`` is False for foreign layers: they lie elsewhere, and count only if they happen
    to be in the repository as well.
    """

    digest: str
    size: int
    kind: Kind
    required: bool = True


def is_digest(text: str) -> bool:
    """Whether ``text`` is a digest in the OCI grammar, of any algorithm, of at most 135 characters.

    Algorithms that are not verified here may stand in descriptors of what need not be here.
    """
    if len(text) > MAX_DIGEST or not _GRAMMAR.fullmatch(text):
        return False
    if text.partition(":")[0] not in HEX_LENGTHS:
        return True
    try:
        Digest.parse(text)
    except DigestInvalid:
        return False
    return True
