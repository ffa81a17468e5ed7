"""Bytes that nothing needs any more: written down in the unit that took the last need away.

They are deleted some time after that unit, never within it. A location is never given twice, so
nothing that is pushed meanwhile can lie where they lie.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from wharfinger.database.dialect import insert
from wharfinger.registry.model.collection import Reason
from wharfinger.registry.tables import discarded_bytes


class Bytes(NamedTuple):
    """Where ``size`` bytes lie in the store."""

    location: str
    size: int


def discard_bytes(connection: Connection, gone: Iterable[Bytes], reason: Reason, now: int) -> None:
    """Have bytes deleted from the store, once this unit is committed and a delay is over."""
    rows = [
        {"location": each.location, "size": each.size, "reason": reason, "discarded_at": now}
        for each in gone
    ]
    if rows:
        statement = insert(connection, discarded_bytes)
        connection.execute(statement.on_conflict_do_nothing(), rows)
