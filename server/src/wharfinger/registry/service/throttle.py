"""Bounds how fast bytes are read, for those who read beside a serving process."""

import time
from collections.abc import Callable
from typing import Final


class Throttle:
    """Lets through ``rate`` bytes a second on average. For one thread."""

    def __init__(
        self,
        rate: float,
        *,
        pause: Callable[[float], object] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate: Final = rate
        self._pause: Final = pause
        self._elapsed: Final = elapsed
        self._free_at = 0.0

    def passed(self, count: int) -> None:
        """Take note of ``count`` bytes, and wait until the next ones may be read."""
        now = self._elapsed()
        self._free_at = max(self._free_at, now) + count / self._rate
        if self._free_at > now:
            self._pause(self._free_at - now)
