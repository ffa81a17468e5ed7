"""Where things lie in a store; nothing that was not checked here becomes part of a path."""

import re
from typing import Final

from wharfinger_common.digests import Digest, DigestInvalid

_UPLOAD: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_upload(upload: str) -> bool:
    """Whether ``upload`` is an upload id: a lowercase UUID in canonical form."""
    return _UPLOAD.fullmatch(upload) is not None


def require_upload(upload: str) -> str:
    """Return ``upload``, which callers have checked before; ValueError says that they have not."""
    if not is_upload(upload):
        raise ValueError("not an upload id")
    return upload


def location_of(digest: Digest) -> str:
    """Return the location of a blob: algorithm, the first two digits as a shard, all digits."""
    return f"{digest.algorithm}/{digest.hex[:2]}/{digest.hex}"


def require_location(location: str) -> str:
    """Return ``location`` if `location_of` could have given it; ValueError otherwise."""
    algorithm, _, rest = location.partition("/")
    try:
        digest = Digest.parse(f"{algorithm}:{rest[3:]}")
    except DigestInvalid:
        raise ValueError("not a location of this store") from None
    if location_of(digest) != location:
        raise ValueError("not a location of this store")
    return location
