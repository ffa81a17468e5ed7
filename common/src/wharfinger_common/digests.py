"""Content digests (OCI image specification 1.1, Descriptors: Digests)."""

import hashlib
import re
from typing import Final, NamedTuple, Protocol, Self

from wharfinger_common.catalogue import registry as entries
from wharfinger_common.refusals import Refusal

HEX_LENGTHS: Final = {"sha256": 64, "sha512": 128}
_HEX: Final = re.compile(r"[0-9a-f]+")


class DigestInvalid(Refusal):
    """The text is no digest of an algorithm that the service verifies."""

    entry = entries.DIGEST_INVALID


class Hasher(Protocol):
    """What hashlib's objects offer and this project uses."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Add data to what is hashed."""

    def hexdigest(self) -> str:
        """Return the digest of all data so far, in lowercase hexadecimal."""


class Digest(NamedTuple):
    """One verified-by-grammar digest, for instance ``sha256:9f86d0...``.

    Only sha256 and sha512 are accepted: an algorithm that cannot be computed here cannot be
    verified, and what is not verified is never visible.
    """

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the digest that ``text`` spells.

        Raises:
            DigestInvalid: unknown algorithm, wrong length, or anything but lowercase hex.
        """
        algorithm, _, hexadecimal = text.partition(":")
        length = HEX_LENGTHS.get(algorithm)
        if length is None or len(hexadecimal) != length or not _HEX.fullmatch(hexadecimal):
            raise DigestInvalid(digest=text[:200])
        return cls(algorithm, hexadecimal)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """Return the digest of ``content``; ``algorithm`` is sha256 or sha512."""
        return cls(algorithm, hashlib.new(algorithm, content).hexdigest())

    def hasher(self) -> Hasher:
        """Return a fresh hash object of this digest's algorithm."""
        return hashlib.new(self.algorithm)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
