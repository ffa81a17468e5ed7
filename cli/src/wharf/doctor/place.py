"""An address on the way: the service's, or that of the registry."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Place:
    """The address ``url``; ``addresses`` are pairs of socket family and address, as DNS told."""

    url: str = ""
    addresses: list[tuple[Any, Any]] = field(default_factory=list)

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self.url).scheme

    @property
    def secure(self) -> bool:
        """Whether it is called over TLS."""
        return self.scheme == "https"

    @property
    def host(self) -> str:
        """Host without port."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port, also where the URL has none."""
        return urlsplit(self.url).port or (443 if self.secure else 80)

    @property
    def named(self) -> str:
        """Host and port as the URL has them: what image names begin with."""
        return urlsplit(self.url).netloc

    def __str__(self) -> str:
        """Return host and port."""
        return f"{self.host}:{self.port}"
