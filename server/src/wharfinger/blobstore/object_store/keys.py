"""Locations of bytes in the object store, and the keys that they lie under."""

import re
import secrets
from typing import Final

FOLDER: Final = "blobs/"
_LOCATION: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[0-9a-f]{16}")
_MARK_BYTES: Final = 8


def new_location(upload: str) -> str:
    """Return a location that nothing had before, for bytes of the upload."""
    return f"{upload}.{secrets.token_hex(_MARK_BYTES)}"


def upload_of(location: str) -> str:
    """Return the upload that the location was made for; '' if it is no location of this store."""
    match = _LOCATION.fullmatch(location)
    return match[1] if match else ""


def key_of(location: str) -> str:
    """Return the key below the store's prefix; ValueError where it is no location of this store."""
    if not upload_of(location):
        raise ValueError("not a location of this store")
    return f"{FOLDER}{location[:2]}/{location}"


def location_in(key: str) -> str:
    """Return the location that ``key`` was made of; '' where it is no key of this store."""
    location = key.rpartition("/")[2]
    return location if upload_of(location) and key_of(location) == key else ""
