"""Refused requests in the database (``explain.ports.RefusalStore``)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, select

from wharfinger.database.dialect import insert
from wharfinger.database.unit import Database
from wharfinger.explain.model import Refused
from wharfinger.explain.tables import refusals

_SHORT: Final = 64
_METHOD: Final = 16


class SqlRefusalStore:
    """Implements the port; what it adds need not survive a power failure."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def add(self, refused: Sequence[Refused], per_account: int) -> None:
        """Keep them, and of each account that acted no more than its newest ``per_account``."""
        with self._database.writing(durable=False) as connection:
            statement = insert(connection, refusals).on_conflict_do_nothing(
                index_elements=["request_id"]
            )
            connection.execute(statement, [_row(each) for each in refused])
            for account in sorted({each.account for each in refused}):
                _trim(connection, account[:_SHORT], per_account)

    def find(self, request_id: str) -> Refused | None:
        """Return the refused request with this id."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(refusals).where(refusals.c.request_id == request_id[:_SHORT])
            ).first()
        return _refused(row) if row else None

    def expire(self, before: int, limit: int) -> int:
        """Forget at most ``limit`` from before that time in Unix seconds; return how many."""
        old = select(refusals.c.id).where(refusals.c.at < before).limit(limit)
        with self._database.writing() as connection:
            found = connection.execute(delete(refusals).where(refusals.c.id.in_(old)))
        return found.rowcount


def _trim(connection: Connection, account: str, most: int) -> None:
    newest_too_many = connection.execute(
        select(refusals.c.id)
        .where(refusals.c.account_id == account)
        .order_by(refusals.c.id.desc())
        .offset(most)
        .limit(1)
    ).scalar()
    if newest_too_many is not None:
        connection.execute(
            delete(refusals).where(
                refusals.c.account_id == account, refusals.c.id <= newest_too_many
            )
        )


def _row(refused: Refused) -> dict[str, object]:
    return {
        "request_id": refused.request_id[:_SHORT],
        "at": refused.at,
        "region": refused.region[:_SHORT],
        "account_id": refused.account[:_SHORT],
        "owner_id": refused.owner[:_SHORT],
        "subject": refused.subject[:_SHORT],
        "credential": refused.credential[:_SHORT],
        "code": refused.code,
        "method": refused.method[:_METHOD],
        "path": refused.path,
        "names": _json(refused.names),
        "facts": _json(refused.facts),
        "rule": _json(refused.rule),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _refused(row: Row[Any]) -> Refused:
    decode = msgspec.json.decode
    return Refused(
        request_id=row.request_id,
        at=row.at,
        region=row.region,
        method=row.method,
        path=row.path,
        names=decode(row.names),
        code=row.code,
        facts=decode(row.facts),
        subject=row.subject,
        account=row.account_id,
        credential=row.credential,
        owner=row.owner_id,
        rule=decode(row.rule),
    )
