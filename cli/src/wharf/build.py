"""Which build of the command line this is."""

from pathlib import Path
from typing import Final

from wharf import __version__

RECORD: Final = Path(__file__).with_name("build.txt")
"""Written by the build, ``COMMIT-TIME``; not there in a checkout that was never built."""


def stamp() -> str:
    """Return the version, with ``+COMMIT-TIME`` where the build recorded it."""
    try:
        commit = RECORD.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return __version__
    return f"{__version__}+{commit}"
