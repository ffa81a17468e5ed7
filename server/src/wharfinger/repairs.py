"""Repairs of what is stored, in the audit trails of the accounts whose repositories they touch."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from wharfinger.audit.store import record
from wharfinger.database.unit import Database
from wharfinger.registry.model.checking import Checked
from wharfinger.registry.tables import repositories, repository_blobs

ACTOR: Final = "operator"


def record_repair(database: Database, checked: Checked, now: int) -> None:
    """Leave an audit row for each account that what was repaired belongs to (Unix seconds).

    Of a blob these are all that show it. No row names what another account has.
    """
    facts = checked.finding.facts
    digest = str(facts.get("digest", ""))
    with database.writing() as connection:
        for account in _accounts(connection, checked, digest):
            record(
                connection,
                at=now,
                account=account,
                actor=ACTOR,
                action=f"storage.{checked.remedy.value}",
                target=digest,
                detail={"check": checked.finding.check, "code": checked.finding.entry.code},
            )


def _accounts(connection: Connection, checked: Checked, digest: str) -> Sequence[str]:
    owner = select(repositories.c.account_id).distinct().order_by(repositories.c.account_id)
    if checked.repository is not None:
        query = owner.where(repositories.c.id == checked.repository)
    else:
        shown = repository_blobs.c.repository_id == repositories.c.id
        query = owner.join(repository_blobs, shown).where(repository_blobs.c.digest == digest)
    return list(connection.scalars(query))
