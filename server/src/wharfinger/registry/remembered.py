"""Answers of the fast path, remembered until anything at all is committed to the database.

When a thousand nodes pull one tag, one look-up serves them all; each is still asked for its own
token, whose credential must be known to stand as of the same commit (docs/adr/0024).
"""

from typing import Final, NamedTuple, Protocol

from wharfinger.identity.model import Claims

BYTES: Final = 4 * 1024 * 1024
"""What is remembered at most, keys counted with a flat rate."""

_KEY_BYTES: Final = 512


class Mark(Protocol):
    """Tells whether anything was committed; see `wharfinger.database.commit_mark`."""

    def read(self) -> bytes:
        """Return what changes with each commit."""


class Wanted(NamedTuple):
    """Which answer: the same for everybody who may have it."""

    region: str
    repository: str
    reference: str
    method: str


Answer = tuple[bytes, bytes]
"""Header lines and body."""


class Remembered:
    """For one event loop."""

    def __init__(self, mark: Mark) -> None:
        self._mark: Final = mark
        self._seen = b""
        self._size = 0
        self._answers: Final[dict[Wanted, Answer]] = {}
        self._epochs: Final[dict[str, int]] = {}

    def find(self, claims: Claims, wanted: Wanted) -> Answer | None:
        """Return the answer, None where the database has to be asked."""
        seen = self._mark.read()
        if seen != self._seen:
            self._forget()
            self._seen = seen
            return None
        if self._epochs.get(claims.credential) != claims.epoch:
            return None
        return self._answers.get(wanted)

    def keep(self, claims: Claims, wanted: Wanted, answer: Answer) -> None:
        """Remember what the database said after `find` found nothing, if it still stands.

        ``claims`` are of a credential that stood then.
        """
        if self._mark.read() != self._seen:
            return
        self._size += len(answer[1]) + 2 * _KEY_BYTES
        if self._size > BYTES:
            self._forget()
            return
        self._epochs[claims.credential] = claims.epoch
        self._answers[wanted] = answer

    def _forget(self) -> None:
        self._size = 0
        self._answers.clear()
        self._epochs.clear()
