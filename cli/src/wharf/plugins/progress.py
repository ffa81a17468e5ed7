"""A line that shows how far a download is: on a terminal only."""

import time
from typing import Final

from wharf.screen import Screen

BAR: Final = 40
STEP: Final = 0.1
"""Seconds between two states of the line."""


class Progress:
    """``29.06 MiB / 29.06 MiB [====] 100.00% 4s``, written over and over in one line."""

    def __init__(self, screen: Screen, total: int) -> None:
        self._screen: Final = screen
        self._total: Final = total
        self._began: Final = time.monotonic()
        self._shown = 0.0
        self._size = 0

    def show(self, size: int) -> None:
        """Say that ``size`` bytes are there."""
        self._size = size
        now = time.monotonic()
        if self._screen.on_terminal and now - self._shown >= STEP:
            self._shown = now
            self._screen.part(f"\r{self._line()}")

    def end(self) -> None:
        """Show the last state and end the line."""
        if self._screen.on_terminal:
            self._screen.part(f"\r{self._line()}\n")

    def _line(self) -> str:
        seconds = int(time.monotonic() - self._began)
        if self._total <= 0:
            return f" {binary(self._size)} {seconds}s"
        share = min(1.0, self._size / self._total)
        bar = "=" * int(BAR * share)
        return (
            f" {binary(self._size)} / {binary(self._total)} [{bar:<{BAR}}] "
            f"{share * 100:.2f}% {seconds}s"
        )


def binary(size: float) -> str:
    """Return a size in the largest of B, KiB, MiB, GiB that leaves at least one."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GiB"
