"""What images need within transactions from other rooms; ``app.py`` wires it."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection

from wharfinger.registry.store.blobs import HoldNamespace
from wharfinger.registry.store.links import Charges


class IsDeleting(Protocol):
    """Tells whether a namespace is being deleted, and keeps it so."""

    def __call__(self, connection: Connection, region: str, name: str) -> bool:
        """Whether the namespace exists and is being deleted."""


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


class Outside(Struct, frozen=True):
    """Of namespaces, of the audit, of jobs, of quotas."""

    hold_namespace: HoldNamespace
    is_deleting: IsDeleting
    record: Recorder
    enqueue: Enqueue
    charges: Charges | None = None
