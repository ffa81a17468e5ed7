"""Ids of upload sessions, which tell by themselves that the service opened them, when and for whom.

So to open a session nothing is written down: its row comes with the first bytes (docs/adr/0026).
"""

import hmac
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import Final

from wharfinger.registry.model.uploads import Pusher

_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62
_CODE_BITS: Final = 40
_RANDOM_BITS: Final = 22
"""Of the second random part; the first has 12."""


class UploadIds:
    """Makes ids and knows its own again, for ``seconds`` from the opening.

    An id is a UUID of version 7 (RFC 9562 section 5.7): milliseconds, then 34 random bits. Its
    last 40 bits are an authentication code (HMAC-SHA256 under what ``key`` returns) over the
    others and over whom the session is for. They keep ids apart from made-up ones; what a caller
    may do is decided by its token at every request.
    """

    def __init__(
        self,
        key: Callable[[], bytes],
        seconds: float,
        random: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._derive: Final = key
        self._random: Final = random
        self.seconds: Final = seconds

    @cached_property
    def _key(self) -> bytes:
        # Not at the start, as with `identity.token_form.LookUp`.
        return self._derive()

    def new(self, pusher: Pusher, account: str, now: float) -> str:
        """Return the id of a session that is opened ``now`` (Unix seconds)."""
        chance = self._random(12 + _RANDOM_BITS)
        head = (
            int(now * 1000) << 80
            | _VERSION
            | (chance >> _RANDOM_BITS) << 64
            | _VARIANT
            | (chance & ((1 << _RANDOM_BITS) - 1)) << _CODE_BITS
        )
        digits = f"{head | self._code(head, pusher, account):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def may_begin(self, upload: str, now: float) -> bool:
        """Whether a session of this id may still get its first bytes, if the id is right."""
        return tells_time(upload) and opened_at(upload) > now - self.seconds

    def fits(self, upload: str, pusher: Pusher, account: str) -> bool:
        """Whether `new` gave this id, a well-formed one, for them."""
        number = int(upload.replace("-", ""), 16)
        code = number & ((1 << _CODE_BITS) - 1)
        expected = self._code(number - code, pusher, account)
        return hmac.compare_digest(code.to_bytes(5), expected.to_bytes(5))

    def _code(self, head: int, pusher: Pusher, account: str) -> int:
        bound = "\0".join((pusher.region, pusher.repository, pusher.subject, account))
        code = hmac.digest(self._key, head.to_bytes(16) + bound.encode(), "sha256")
        return int.from_bytes(code[: _CODE_BITS // 8])


def tells_time(upload: str) -> bool:
    """Whether the id says when its session was opened; those of earlier releases do not."""
    return upload[14] == "7"


def opened_at(upload: str) -> float:
    """Return when the session of such an id was opened (Unix seconds)."""
    return int(upload[:8] + upload[9:13], 16) / 1000


def first_id(time: float) -> str:
    """Return what is not greater than any id of a session opened at ``time`` (Unix seconds)."""
    digits = f"{int(time * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"
