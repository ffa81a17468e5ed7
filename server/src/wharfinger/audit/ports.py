"""What the audit needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from wharfinger.audit.model import AuditRow


class AuditTrail(Protocol):
    """Where audit rows lie; they are written by the transactions of what they record."""

    def page(self, account: str, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Return at most ``limit`` rows of the account, newest first, older than row ``before``."""
