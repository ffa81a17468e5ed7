"""Repairs of what is stored, in the audit trails of the accounts whose repositories they touch."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select

from wharfinger.audit.store import record
from wharfinger.database.unit import Database
from wharfinger.registry.model.checking import Checked, Remedy
from wharfinger.registry.tables import repositories, repository_blobs
from wharfinger_common.catalogue import storage as entries
from wharfinger_common.refusals import Entry

OPERATOR: Final = "operator"
SYSTEM: Final = "system"
"""The actor of what the service does by itself."""

_CODES: Final[Mapping[str, Entry]] = {
    "missing": entries.BYTES_MISSING,
    "size": entries.BYTES_CUT,
    "digest": entries.BYTES_CORRUPT,
}
_OWNERS: Final = select(repositories.c.account_id).distinct().order_by(repositories.c.account_id)


def record_fence(connection: Connection, digest: str, what: str, now: int) -> None:
    """Leave an audit row of a blob that a reader found damaged, for each account that shows it.

    Implements ``registry.store.blobs.NoteFence``.
    """
    detail = {"check": f"blob-{what}", "code": _CODES[what].code}
    for account in _showing(connection, digest):
        record(
            connection,
            at=now,
            account=account,
            actor=SYSTEM,
            action=f"storage.{Remedy.FENCED.value}",
            target=digest,
            detail=detail,
        )


def record_repair(database: Database, checked: Checked, now: int, *, actor: str = OPERATOR) -> None:
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
                actor=actor,
                action=f"storage.{checked.remedy.value}",
                target=digest,
                detail={"check": checked.finding.check, "code": checked.finding.entry.code},
            )


def _accounts(connection: Connection, checked: Checked, digest: str) -> Sequence[str]:
    if checked.repository is not None:
        return list(connection.scalars(_OWNERS.where(repositories.c.id == checked.repository)))
    return _showing(connection, digest)


def _showing(connection: Connection, digest: str) -> Sequence[str]:
    shown = repository_blobs.c.repository_id == repositories.c.id
    query = _OWNERS.join(repository_blobs, shown).where(repository_blobs.c.digest == digest)
    return list(connection.scalars(query))
