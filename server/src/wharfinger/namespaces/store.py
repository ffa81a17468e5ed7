"""The SQLAlchemy Core adapter of the namespaces' ports, for SQLite and PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, and_, bindparam, delete, func, select, update

from wharfinger.database.dialect import insert
from wharfinger.database.effects import Enqueue, Recorder
from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.identity.tables import accounts
from wharfinger.namespaces.model import EMPTYING, Namespace, State
from wharfinger.namespaces.ports import Clock
from wharfinger.namespaces.tables import namespaces

_NAMED: Final = and_(
    namespaces.c.region == bindparam("asked_region"), namespaces.c.name == bindparam("asked_name")
)
_HOLD_OWNER: Final = Prepared(
    lambda _: (
        select(namespaces.c.account_id)
        .where(_NAMED, namespaces.c.state == State.ACTIVE.value)
        .with_for_update(read=True)
    )
)
# In the order of `Namespace`'s fields.
_STATE: Final = 6
_FIND: Final = Prepared(
    lambda _: select(
        namespaces.c.region,
        namespaces.c.name,
        namespaces.c.account_id,
        namespaces.c.created_at,
        namespaces.c.updated_at,
        namespaces.c.resource_group,
        namespaces.c.state,
        namespaces.c.id,
    ).where(_NAMED)
)


class SqlNamespaceStore:
    """Implements ``namespaces.ports.Store`` over a database."""

    def __init__(
        self,
        database: Database,
        *,
        record: Recorder,
        enqueue: Enqueue,
        clock: Clock,
    ) -> None:
        self._database = database
        self._record = record
        self._enqueue = enqueue
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator["SqlRecords"]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlRecords(connection)

    @contextmanager
    def looking(self) -> Iterator["SqlRecords"]:
        """Enter a view for one question."""
        with self._database.looking() as connection:
            yield SqlRecords(connection)

    @contextmanager
    def writing(self) -> Iterator["_SqlChanges"]:
        """Enter a writing unit."""
        with self._database.writing() as connection:
            yield _SqlChanges(connection, self._record, self._enqueue, int(self._clock()))


class SqlRecords:
    """Implements ``namespaces.ports.Records`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, region: str, name: str) -> Namespace | None:
        """Return the namespace of this name."""
        row = _FIND.first(self._connection, asked_region=region, asked_name=name)
        if row is None:
            return None
        values = list(row)
        values[_STATE] = State(values[_STATE])
        return Namespace(*values)

    def active_of(self, region: str, account: str) -> Sequence[Namespace]:
        """Return the account's active namespaces."""
        query = (
            select(namespaces)
            .where(
                namespaces.c.region == region,
                namespaces.c.account_id == account,
                namespaces.c.state == State.ACTIVE.value,
            )
            .order_by(namespaces.c.name)
        )
        return [_namespace(row) for row in self._connection.execute(query)]

    def count(self, region: str, account: str) -> int:
        """Return how many names the account holds."""
        query = select(func.count()).where(
            namespaces.c.region == region,
            namespaces.c.account_id == account,
            namespaces.c.state != State.KEPT.value,
        )
        return self._connection.execute(query).scalar_one()


class _SqlChanges(SqlRecords):
    """Implements ``namespaces.ports.Changes`` over the connection of a writing unit."""

    def __init__(self, connection: Connection, record: Recorder, enqueue: Enqueue, at: int) -> None:
        super().__init__(connection)
        self._record = record
        self._enqueue = enqueue
        self._at = at

    def lock_account(self, account: str) -> None:
        # SQLite has one writer and leaves it out. What refers to the account need not wait.
        self._connection.execute(
            select(accounts.c.id).where(accounts.c.id == account).with_for_update(key_share=True)
        )

    def add(self, namespace: Namespace) -> bool:
        added = (
            insert(self._connection, namespaces).values(_row(namespace)).on_conflict_do_nothing()
        )
        return self._connection.execute(added).rowcount > 0

    def assign(self, namespace: Namespace, resource_group: str, at: int) -> bool:
        statement = (
            update(namespaces)
            .where(
                namespaces.c.id == namespace.id,
                namespaces.c.state == State.ACTIVE.value,
                namespaces.c.resource_group == "",
            )
            .values(resource_group=resource_group, updated_at=at)
        )
        return self._connection.execute(statement).rowcount > 0

    def start_deletion(self, namespace: Namespace, requested_by: str, at: int) -> bool:
        statement = (
            update(namespaces)
            .where(namespaces.c.id == namespace.id, namespaces.c.state == State.ACTIVE.value)
            .values(state=State.DELETING.value, updated_at=at)
        )
        if self._connection.execute(statement).rowcount == 0:
            return False
        payload = {
            "region": namespace.region,
            "name": namespace.name,
            "account": namespace.account,
            "id": str(namespace.id),
            "requested_by": requested_by,
        }
        self._enqueue(self._connection, EMPTYING, f"{namespace.region}/{namespace.name}", payload)
        return True

    def keep(self, namespace: Namespace) -> bool:
        statement = (
            update(namespaces)
            .where(namespaces.c.id == namespace.id, namespaces.c.state == State.DELETING.value)
            .values(state=State.KEPT.value, updated_at=self._at)
        )
        return self._connection.execute(statement).rowcount > 0

    def forget(self, namespace: Namespace) -> None:
        self._connection.execute(
            delete(namespaces).where(
                namespaces.c.id == namespace.id, namespaces.c.state == State.KEPT.value
            )
        )

    def forget_kept(self, before: int) -> None:
        self._connection.execute(
            delete(namespaces).where(
                namespaces.c.state == State.KEPT.value, namespaces.c.updated_at < before
            )
        )

    def audit(
        self, caller: Caller, action: str, namespace: Namespace, detail: Mapping[str, object]
    ) -> None:
        self._record(
            self._connection,
            at=self._at,
            account=namespace.account,
            actor=caller.iam_id,
            action=action,
            target=f"namespace:{namespace.name}",
            request_id=caller.request_id,
            detail={"region": namespace.region, **detail},
        )


def is_deleting(connection: Connection, region: str, name: str) -> bool:
    """Whether the namespace exists and is being deleted; for steps, in their transactions.

    Locks the row where the database has row locks, so that it stays so until the unit ends.
    """
    query = select(namespaces.c.id).where(
        namespaces.c.region == region,
        namespaces.c.name == name,
        namespaces.c.state == State.DELETING.value,
    )
    return connection.execute(query.with_for_update()).first() is not None


def _row(namespace: Namespace) -> dict[str, Any]:
    values = asdict(namespace) | {"state": namespace.state.value}
    values["account_id"] = values.pop("account")
    del values["id"]
    return values


def _namespace(row: Row[Any]) -> Namespace:
    return Namespace(
        region=row.region,
        name=row.name,
        account=row.account_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        resource_group=row.resource_group,
        state=State(row.state),
        id=row.id,
    )


def hold_owner(connection: Connection, region: str, name: str) -> str | None:
    """Return the account of an active namespace, for writes into it, in their transactions.

    Keeps the namespace from being deleted, where the database has row locks, until the unit ends.
    """
    row = _HOLD_OWNER.first(connection, asked_region=region, asked_name=name)
    return None if row is None else str(row[0])
