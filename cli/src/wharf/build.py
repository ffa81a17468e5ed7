"""Which build of the command line this is."""

from typing import Final

from wharf import __path__, __version__

RECORD: Final = f"{__path__[0]}/build.txt"
"""Written by the build, ``COMMIT-TIME``; not there in a checkout that was never built."""


def stamp() -> str:
    """Return the version, with ``+COMMIT-TIME`` where the build recorded it."""
    try:
        with open(RECORD, encoding="ascii") as file:  # noqa: PTH123 - pathlib takes as long as all else
            commit = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return __version__
    return f"{__version__}+{commit}"
