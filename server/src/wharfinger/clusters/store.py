"""The SQLAlchemy Core adapter of the clusters' ports, for SQLite and PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, select

from wharfinger.clusters.model import Cluster, Facts, Worker
from wharfinger.clusters.ports import Clock
from wharfinger.clusters.tables import clusters
from wharfinger.database.dialect import insert
from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.identity.tables import accounts, service_ids, users


class SqlClusterStore:
    """Implements ``clusters.ports.Store`` over a database."""

    def __init__(self, database: Database, *, record: Recorder, clock: Clock) -> None:
        self._database = database
        self._record = record
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator["SqlRecords"]:
        """Enter a consistent view."""
        with self._database.reading() as connection:
            yield SqlRecords(connection)

    @contextmanager
    def writing(self) -> Iterator["_SqlChanges"]:
        """Enter a writing unit."""
        with self._database.writing() as connection:
            yield _SqlChanges(connection, self._record, int(self._clock()))


class SqlRecords:
    """Implements ``clusters.ports.Records`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, account: str, name: str) -> Cluster | None:
        """Return the cluster, with its workers."""
        query = _select(*clusters.c).where(_named(account, name))
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return _cluster(row, Facts(row.ident, _read(row.workers), _read(row.deleted)))

    def all_of(self, account: str) -> Sequence[Cluster]:
        """Return the account's clusters by name."""
        shown = [each for each in clusters.c if each.name not in {"workers", "deleted"}]
        query = _select(*shown).where(clusters.c.account_id == account).order_by(clusters.c.name)
        return [_cluster(row, Facts(row.ident, ())) for row in self._connection.execute(query)]

    def count(self, account: str) -> int:
        """Return how many there are."""
        query = select(func.count()).where(clusters.c.account_id == account)
        return self._connection.execute(query).scalar_one()


class _SqlChanges(SqlRecords):
    """Implements ``clusters.ports.Changes`` over the connection of a writing unit."""

    def __init__(self, connection: Connection, record: Recorder, at: int) -> None:
        super().__init__(connection)
        self._record = record
        self._at = at

    def lock_account(self, account: str) -> None:
        # SQLite has one writer and leaves it out. What refers to the account need not wait.
        self._connection.execute(
            select(accounts.c.id).where(accounts.c.id == account).with_for_update(key_share=True)
        )

    def put(self, cluster: Cluster) -> None:
        values = {
            "ident": cluster.facts.ident,
            "registered_at": cluster.registered_at,
            "registered_by": cluster.registered_by,
            "worker_count": cluster.count,
            "workers": _written(cluster.facts.workers),
            "deleted": _written(cluster.facts.deleted),
        }
        statement = insert(self._connection, clusters).values(
            account_id=cluster.account, name=cluster.name, **values
        )
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["account_id", "name"], set_=values)
        )

    def remove(self, account: str, name: str) -> bool:
        return self._connection.execute(delete(clusters).where(_named(account, name))).rowcount > 0

    def audit(self, caller: Caller, action: str, name: str, detail: Mapping[str, object]) -> None:
        self._record(
            self._connection,
            at=self._at,
            account=caller.account,
            actor=caller.iam_id,
            action=action,
            target=f"cluster:{name}",
            request_id=caller.request_id,
            detail=detail,
        )


def _select(*columns: ColumnElement[Any]) -> Select[Any]:
    """Return the query of clusters, with the names behind the ids of who registered them."""
    by = clusters.c.registered_by
    joined = clusters.outerjoin(users, users.c.iam_id == by).outerjoin(
        service_ids, service_ids.c.iam_id == by
    )
    known = func.coalesce(users.c.email, service_ids.c.name, by).label("known_as")
    return select(*columns, known).select_from(joined)


def _written(workers: tuple[Worker, ...]) -> str:
    return msgspec.json.encode(workers).decode()


def _read(column: str) -> tuple[Worker, ...]:
    return msgspec.json.decode(column, type=tuple[Worker, ...])


def _named(account: str, name: str) -> ColumnElement[bool]:
    return and_(clusters.c.account_id == account, clusters.c.name == name)


def _cluster(row: Row[Any], facts: Facts) -> Cluster:
    return Cluster(
        account=row.account_id,
        name=row.name,
        facts=facts,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        known_as=row.known_as,
        count=row.worker_count,
    )
