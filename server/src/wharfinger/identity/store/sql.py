"""The store: units of work over the database that hand out the transaction objects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.ports import Clock
from wharfinger.identity.store.changes import SqlChanges
from wharfinger.identity.store.records import SqlRecords


class SqlStore:
    """Implements ``identity.ports.Store`` over a database; ``record`` is the audit's writer."""

    def __init__(self, database: Database, record: Recorder, clock: Clock) -> None:
        self._database = database
        self._record = record
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[SqlRecords]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlRecords(connection)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator["_AuditedChanges"]:
        """Enter a writing unit."""
        with self._database.writing(durable=durable) as connection:
            yield _AuditedChanges(connection, self._record, int(self._clock()))


class _AuditedChanges(SqlChanges):
    def __init__(self, connection: Connection, record: Recorder, at: int) -> None:
        super().__init__(connection)
        self._record = record
        self._at = at

    def audit(
        self,
        account: str,
        actor: str,
        action: str,
        target: str,
        request_id: str,
        detail: Mapping[str, object],
    ) -> None:
        self._record(
            self._connection,
            at=self._at,
            account=account,
            actor=actor,
            action=action,
            target=target,
            request_id=request_id,
            detail=detail,
        )
