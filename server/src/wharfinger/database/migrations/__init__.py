"""Schema migrations (Alembic); every released revision stays reachable from here."""

from typing import Final

HEAD: Final = "0017"
"""The newest revision. Written down so that a start need not load Alembic to compare."""
