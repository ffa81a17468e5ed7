"""What images need within transactions from other rooms; ``app.py`` wires it."""

from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection

from wharfinger.database.effects import Enqueue, Recorder
from wharfinger.registry.store.blobs import HoldNamespace
from wharfinger.registry.store.links import Charges


class IsDeleting(Protocol):
    """Tells whether a namespace is being deleted, and keeps it so."""

    def __call__(self, connection: Connection, region: str, name: str) -> bool:
        """Whether the namespace exists and is being deleted."""


class Outside(Struct, frozen=True):
    """Of namespaces, of the audit, of jobs, of quotas."""

    hold_namespace: HoldNamespace
    is_deleting: IsDeleting
    record: Recorder
    enqueue: Enqueue
    charges: Charges | None = None
