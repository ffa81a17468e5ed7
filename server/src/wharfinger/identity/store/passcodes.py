"""One-time passcodes in the database."""

from typing import Final

from sqlalchemy import delete, or_, select

from wharfinger.database.dialect import insert
from wharfinger.identity.model import Credential, CredentialKind
from wharfinger.identity.store.records import SqlRecords
from wharfinger.identity.tables import credentials, passcodes

_CODES: Final = passcodes.c


class PasscodeChanges(SqlRecords):
    """What `SqlChanges` writes of passcodes."""

    def add_passcode(self, sha256: bytes, credential: str, ends: int, now: int) -> None:
        """Add a passcode in place of all of this credential, and forget those that have ended."""
        self._connection.execute(
            delete(passcodes).where(or_(_CODES.credential_id == credential, _CODES.ends <= now))
        )
        values = {"secret_sha256": sha256, "credential_id": credential, "ends": ends}
        self._connection.execute(insert(self._connection, passcodes).values(values))

    def take_passcode(self, sha256: bytes, now: int) -> Credential | None:
        """Return the credential of a passcode that has not ended, and end it; None without one."""
        gone = (
            delete(passcodes)
            .where(_CODES.secret_sha256 == sha256, _CODES.ends > now)
            .returning(_CODES.credential_id)
        )
        taken = self._connection.scalar(gone)
        if taken is None:
            return None
        query = select(credentials).where(credentials.c.id == taken)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return Credential(row.id, row.iam_id, CredentialKind(row.kind), row.epoch)
