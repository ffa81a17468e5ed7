"""What the steps of doctor look at, and what earlier steps have learnt."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wharf.context import Context
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.refusals import Entry, Refusal

CONNECT_SECONDS = 10.0
"""A packet that is not answered by then is taken for lost."""


@dataclass
class Patient:
    """The user's machine; ``info`` is what the service said of itself."""

    context: Context
    endpoint: str = ""
    addresses: list[tuple[Any, ...]] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Host of the service, without port."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        """Port of the service."""
        parts = urlsplit(self.endpoint)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def secure(self) -> bool:
        """Whether the service is called over TLS."""
        return self.endpoint.startswith("https:")

    @property
    def timeout(self) -> float:
        """Seconds that a connection may take."""
        return min(self.context.config.timeout, CONNECT_SECONDS)

    def works(self, check: str, seen: str) -> Finding:
        """Return the finding that a step works; ``seen`` is a `Text`."""
        return self._finding(
            check, Severity.OK, entries.STEP_WORKS, {"seen": self.context.words(seen)}
        )

    def warns(self, check: str, entry: Entry, **facts: object) -> Finding:
        """Return the finding of something that will do harm."""
        return self._finding(check, Severity.WARNING, entry, facts)

    def fails(self, check: str, entry: Entry, **facts: object) -> Finding:
        """Return the finding that a step does not work."""
        return self._finding(check, Severity.ERROR, entry, facts)

    def refused(self, check: str, refusal: Refusal) -> Finding:
        """Return the finding that a step ended with ``refusal``."""
        return self._finding(check, Severity.ERROR, refusal.entry, dict(refusal.items[0]))

    def _finding(
        self, check: str, severity: Severity, entry: Entry, facts: dict[str, object]
    ) -> Finding:
        brand = self.context.brand
        named = {"command": brand.command, "product": brand.product, "cli": brand.cli}
        words = self.context.words
        told = {
            name: words(fact) if isinstance(fact, str) else str(fact)
            for name, fact in facts.items()
        }
        return Finding(check, severity, entry, {**named, **told})
