"""The form of a registry token: ``whr.PAYLOAD.SECRET``.

Three parts, the middle one JSON in base64 that tells the token's id (``jti``) and when it ends
(``exp``): published clients of the 2018 interface read the id from there, as they would from a
JWT. The prefix lets secret scanners find leaked tokens; the last part is as random as an API key.
"""

import base64
import hmac
from functools import cached_property
from typing import Final

import msgspec

from wharfinger.identity import keys
from wharfinger.identity.secrets import derived

PREFIX: Final = "whr"
MAX_CHARACTERS: Final = 512


def generate(token: str, ends: int) -> str:
    """Return the secret of a new registry token with the id ``token``."""
    payload = {"jti": token, **({"exp": ends} if ends else {})}
    # Neither alphabet of base64 has another form for these characters.
    middle = base64.b64encode(msgspec.json.encode(payload)).decode().rstrip("=")
    return f"{PREFIX}.{middle}.{keys.checked_random()}"


def well_formed(text: str) -> bool:
    """Whether ``text`` has the form of a registry token, its checksum right."""
    if len(text) > MAX_CHARACTERS or not text.isascii():
        return False
    prefix, _, rest = text.partition(".")
    _, _, secret = rest.partition(".")
    return prefix == PREFIX and keys.is_checked(secret)


class LookUp:
    """What a registry token is found by: a hash of it that only who has the master key can make.

    The tokens themselves are kept sealed, as they are shown again; so a hash alone, in a copy of
    the database, must not tell which of two tokens is which.
    """

    def __init__(self, master_key: bytes) -> None:
        self._master_key: Final = master_key

    @cached_property
    def _key(self) -> bytes:
        # Not at the start: it is the first thing that OpenSSL is asked for.
        return derived(self._master_key, "registry token look-up")

    def hash(self, secret: str) -> bytes:
        """Return 32 bytes."""
        return hmac.digest(self._key, secret.encode("utf-8", "surrogateescape"), "sha256")
