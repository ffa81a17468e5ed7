"""The form of an API key: ``whf_``, 40 random characters, 6 characters of checksum.

Prefix and checksum let secret scanners find leaked keys without false alarms, and let the
service refuse mistyped ones without asking the database.
"""

import hashlib
import secrets
import zlib
from collections.abc import Callable
from typing import Final

PREFIX: Final = "whf_"
RANDOM_CHARACTERS: Final = 40
CHECKSUM_CHARACTERS: Final = 6
LENGTH: Final = len(PREFIX) + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

RandomIndex = Callable[[int], int]
"""Returns a random number from 0 up to, not including, its argument."""


def generate(random: RandomIndex = secrets.randbelow) -> str:
    """Return a new API key: 40 characters of 62, 238 bits of chance."""
    return PREFIX + checked_random(random)


def checked_random(random: RandomIndex = secrets.randbelow) -> str:
    """Return 40 random characters and their checksum."""
    body = "".join(ALPHABET[random(len(ALPHABET))] for _ in range(RANDOM_CHARACTERS))
    return body + checksum(body)


def is_checked(text: str) -> bool:
    """Whether ``text`` could be what `checked_random` returned."""
    right_length = len(text) == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
    return right_length and text[-CHECKSUM_CHARACTERS:] == checksum(text[:-CHECKSUM_CHARACTERS])


def checksum(body: str) -> str:
    """Return the CRC-32 of ``body`` in base 62, six characters, most significant first."""
    rest = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def well_formed(text: str) -> bool:
    """Whether ``text`` has prefix, length and checksum of an API key of this service."""
    if len(text) != LENGTH or not text.isascii() or not text.startswith(PREFIX):
        return False
    body = text[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return text[-CHECKSUM_CHARACTERS:] == checksum(body)


def sha256(key: str) -> bytes:
    """Return what is stored of an API key. It is long and random: a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).digest()
