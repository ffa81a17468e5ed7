"""Which database a URL names."""

from pathlib import Path
from typing import Final

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


def embedded_path(url: str) -> Path | None:
    """Return the file of an embedded database, None for one that many nodes may share."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def libpq_url(url: str) -> str:
    """Return a PostgreSQL URL as its own library writes it: without a driver's name."""
    return "postgresql://" + url.partition("://")[2]
