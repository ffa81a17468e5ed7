"""Repairs of what is stored, in the audit trails of the accounts whose repositories they touch."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

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


class _Told(NamedTuple):
    """What an audit row says: who did what to which digest, and what was found by which check."""

    actor: str
    remedy: Remedy
    digest: str
    check: str
    code: str


def record_fence(connection: Connection, digest: str, what: str, now: int) -> None:
    """Leave an audit row of a blob that a reader found damaged, for each account that shows it.

    Implements ``registry.store.blobs.NoteFence``.
    """
    told = _Told(SYSTEM, Remedy.FENCED, digest, f"blob-{what}", _CODES[what].code)
    _leave_rows(connection, _showing(connection, digest), told, now)


def record_repair(database: Database, checked: Checked, now: int, *, actor: str = OPERATOR) -> None:
    """Leave an audit row for each account that what was repaired belongs to (Unix seconds).

    Of a blob these are all that show it. No row names what another account has.
    """
    facts = checked.finding.facts
    digest = str(facts.get("digest", ""))
    found = checked.finding
    told = _Told(actor, checked.remedy, digest, found.check, found.entry.code)
    with database.writing() as connection:
        _leave_rows(connection, _accounts(connection, checked, digest), told, now)


def _leave_rows(connection: Connection, accounts: Sequence[str], told: _Told, now: int) -> None:
    for account in accounts:
        record(
            connection,
            at=now,
            account=account,
            actor=told.actor,
            action=f"storage.{told.remedy.value}",
            target=told.digest,
            detail={"check": told.check, "code": told.code},
        )


def _accounts(connection: Connection, checked: Checked, digest: str) -> Sequence[str]:
    if checked.repository is not None:
        return list(connection.scalars(_OWNERS.where(repositories.c.id == checked.repository)))
    return _showing(connection, digest)


def _showing(connection: Connection, digest: str) -> Sequence[str]:
    shown = repository_blobs.c.repository_id == repositories.c.id
    query = _OWNERS.join(repository_blobs, shown).where(repository_blobs.c.digest == digest)
    return list(connection.scalars(query))
