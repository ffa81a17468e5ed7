"""Blob contents: incompressible, distinct, of any size, without holding them in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

BLOCK_BYTES = 1 << 20
MARK_BYTES = 32
_BLOCK = memoryview(os.urandom(BLOCK_BYTES))


@dataclass(frozen=True)
class Payload:
    """A blob of ``size`` bytes, at least `MARK_BYTES`: a random mark, then one block repeated."""

    size: int
    mark: bytes = field(default_factory=lambda: os.urandom(MARK_BYTES))
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        state = hashlib.sha256()
        for part in self.parts():
            state.update(part)
        object.__setattr__(self, "digest", f"sha256:{state.hexdigest()}")

    def parts(self) -> Iterator[bytes | memoryview]:
        """The content, in pieces of at most one block."""
        yield self.mark
        left = self.size - len(self.mark)
        while left > 0:
            yield _BLOCK[: min(left, BLOCK_BYTES)]
            left -= BLOCK_BYTES
