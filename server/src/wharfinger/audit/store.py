"""Writing audit rows within other rooms' transactions, and reading them back."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, insert, select

from wharfinger.audit.model import AuditRow
from wharfinger.audit.tables import audit
from wharfinger.database.unit import Database

MAX_TARGET = 512


def record(
    connection: Connection,
    *,
    at: int,
    account: str,
    actor: str,
    action: str,
    target: str,
    request_id: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Leave an audit row in the transaction of ``connection``: it stands if the change does.

    ``at`` in Unix seconds, ``actor`` an iam_id or "operator", ``action`` THING.VERB such as
    "apikey.delete". ``detail`` is stored as JSON: never put a secret there.
    """
    connection.execute(
        insert(audit).values(
            at=at,
            account_id=account,
            actor=actor[:64],
            action=action,
            target=target[:MAX_TARGET],
            request_id=request_id[:64],
            detail=msgspec.json.encode(detail or {}).decode(),
        )
    )


class SqlAuditTrail:
    """Implements ``audit.ports.AuditTrail`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, account: str, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Return at most ``limit`` rows of the account, newest first, older than row ``before``."""
        query = select(audit).where(audit.c.account_id == account)
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit)).all()
        return [
            AuditRow(
                row.id,
                row.at,
                row.account_id,
                row.actor,
                row.action,
                row.target,
                row.request_id,
                msgspec.json.decode(row.detail),
            )
            for row in rows
        ]
