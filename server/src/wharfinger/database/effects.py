"""What a store leaves in other rooms' tables within its own unit: an audit row, a job.

The rooms that bring them stand above those that use them, so they are handed in.
"""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection


class Recorder(Protocol):
    """Leaves an audit row within the transaction of ``connection``; the audit's own writer."""

    def __call__(
        self,
        connection: Connection,
        *,
        at: int,
        account: str,
        actor: str,
        action: str,
        target: str,
        request_id: str,
        detail: Mapping[str, object],
    ) -> None:
        """Record that ``actor`` did ``action`` to ``target``."""


class Enqueue(Protocol):
    """Asks for background work within the transaction of ``connection``."""

    def __call__(
        self, connection: Connection, kind: str, subject: str, payload: Mapping[str, str]
    ) -> None:
        """Ask for the work to be done as soon as the transaction is committed."""
