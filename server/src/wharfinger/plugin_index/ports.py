"""What the index needs from outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from wharfinger.plugin_index.model import Wheel


class Shelf(Protocol):
    """The wheels that are offered; every method may block on the disk."""

    def wheels(self) -> Sequence[Wheel]:
        """Return all of them, as they are now."""

    def path(self, filename: str) -> Path:
        """Return where the file of a wheel lies."""
