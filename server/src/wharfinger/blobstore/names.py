"""Where things lie in a store; nothing that was not checked here becomes part of a path."""

import re
import secrets
import uuid
from typing import Final

from wharfinger_common.digests import Digest, DigestInvalid

SHARDS: Final = tuple(f"{number:02x}" for number in range(256))
"""The folders that blobs of one algorithm are spread over."""
_UPLOAD: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MARK: Final = re.compile(r"[0-9a-f]{12}")
_MARK_BYTES: Final = 6


def is_upload(upload: str) -> bool:
    """Whether ``upload`` is an upload id: a lowercase UUID in canonical form."""
    return _UPLOAD.fullmatch(upload) is not None


def require_upload(upload: str) -> str:
    """Return ``upload``, which callers have checked before; ValueError says that they have not."""
    if not is_upload(upload):
        raise ValueError("not an upload id")
    return upload


def new_upload() -> str:
    """Return the id of an upload that no session has: a random UUID (RFC 9562, version 4)."""
    return str(uuid.uuid4())


def new_location(digest: Digest) -> str:
    """Return a location for a blob that nothing had before: ``ALGORITHM/SHARD/HEX.MARK``.

    The shard is the first two digits; the mark is random. So what deletes the bytes of a former
    commit of the digest never meets those of the next one.
    """
    return f"{_of(digest)}.{secrets.token_hex(_MARK_BYTES)}"


def is_location(location: str) -> bool:
    """Whether `new_location` could have given it; older ones have no mark."""
    algorithm, _, rest = location.partition("/")
    digits, dot, mark = rest[3:].partition(".")
    if dot and not _MARK.fullmatch(mark):
        return False
    try:
        return location == _of(Digest.parse(f"{algorithm}:{digits}")) + dot + mark
    except DigestInvalid:
        return False


def require_location(location: str) -> str:
    """Return ``location`` if it is one of this store; ValueError otherwise."""
    if not is_location(location):
        raise ValueError("not a location of this store")
    return location


def _of(digest: Digest) -> str:
    return f"{digest.algorithm}/{digest.hex[:2]}/{digest.hex}"
