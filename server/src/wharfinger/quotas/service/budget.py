"""What a worker may grant of one account without asking, and how much of it is leased ahead.

The pace follows the demand: it doubles when a lease is not the first within a tick, and halves
when little of it was spent in one. So a busy account costs a few leases a tick however fast it
is, and an account of which little is pulled holds little that a crash could forfeit.
"""

from typing import Final

from wharfinger.quotas.model import UNUSED
from wharfinger.quotas.ports import Leased

LOW: Final = 4
"""A lease is filled up again once less than this part of what it held is left."""

_LITTLE: Final = 8
"""Less than this part of the pace, spent within a tick, is little."""


class Pace:
    """Bytes to hold ahead: ``first`` to begin with and at least, ``most`` at most."""

    __slots__ = ("_again", "_first", "_most", "ahead")

    def __init__(self, first: int, most: int) -> None:
        self._most: Final = most
        self._first: Final = min(first, most)
        self._again = False
        self.ahead = self._first

    def leased(self) -> None:
        """Note a lease because bytes are needed: the next one of the tick takes more ahead."""
        if self._again:
            self.ahead = min(self.ahead * 2, self._most)
        self._again = True

    def ticked(self, spent: int) -> None:
        """Note that a tick passed in which ``spent`` bytes were granted."""
        self._again = False
        if spent * _LITTLE < self.ahead:
            self.ahead = max(self.ahead // 2, self._first)


class Budget:
    """What may be granted of one account, within one month and until ``until`` (Unix seconds).

    Of an account with a limit there are ``left`` bytes leased; of one without, ``counted`` bytes
    are not written down yet. Not for two threads at once: the meter's lock guards it.
    """

    __slots__ = (
        "_held",
        "_mark",
        "counted",
        "left",
        "level",
        "limited",
        "month",
        "pace",
        "until",
        "wanted",
    )

    def __init__(self, month: str, until: float, pace: Pace, *, limited: bool) -> None:
        self.month: Final = month
        self.limited: Final = limited
        self.pace: Final = pace
        self.until = until
        self.left = 0
        self.counted = 0
        self.level = UNUSED
        self.wanted = False
        # What was left after the last lease, and after the last tick with what was leased since.
        self._held = 0
        self._mark = 0

    def take(self, size: int) -> bool:
        """Grant ``size`` bytes; False if there are not as many."""
        if not self.limited:
            self.counted += size
        elif self.left >= size:
            self.left -= size
        else:
            return False
        return True

    @property
    def low(self) -> bool:
        """Whether it is time to lease more."""
        return self.left * LOW < self._held

    def add(self, leased: Leased) -> None:
        """Add what was leased."""
        self.wanted = False
        self.left += leased.size
        self.level = leased.level
        self._held = self.left
        self._mark += leased.size

    def spent(self) -> int:
        """Return the bytes granted since this was asked last."""
        if not self.limited:
            return self.counted
        spent, self._mark = self._mark - self.left, self.left
        return spent

    def due(self) -> int:
        """Return and forget what is to be written down: counted bytes, or below 0 ones too many.

        Of what is leased, that is what is left above the pace.
        """
        if not self.limited:
            due, self.counted = self.counted, 0
            return due
        excess = max(self.left - self.pace.ahead, 0)
        if excess:
            self.undo(excess)
            self._held = self.left
        return -excess

    def undo(self, due: int) -> None:
        """Take back what could not be written down."""
        if self.limited:
            self.left -= due
            self._mark -= due
        else:
            self.counted += due
