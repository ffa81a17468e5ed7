"""The SQLAlchemy Core adapter of the jobs' ports, for SQLite and PostgreSQL."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from wharfinger.database.dialect import insert
from wharfinger.database.unit import Database
from wharfinger.jobs.model import Job, Queue
from wharfinger.jobs.tables import jobs


class SqlQueue:
    """Implements ``jobs.ports.Queue`` over the connection of a writing unit, anybody's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enqueue(
        self, kind: str, subject: str, payload: Mapping[str, str], run_at: float, now: float
    ) -> None:
        """Add a job; see the port."""
        statement = insert(self._connection, jobs).values(
            kind=kind,
            subject=subject,
            payload=json.dumps(dict(payload)),
            run_at=run_at,
            leased_until=0.0,
            lease_owner="",
            fence=0,
            attempts=0,
            last_error="",
            created_at=int(now),
        )
        asked = statement.excluded.run_at
        # A held job keeps the time it was claimed for: another one tells that it was asked again.
        sooner = case(
            (or_(jobs.c.lease_owner != "", jobs.c.run_at > asked), asked), else_=jobs.c.run_at
        )
        again = {"payload": statement.excluded.payload, "run_at": sooner}
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["kind", "subject"], set_=again)
        )

    def claim(self, kinds: Collection[str], owner: str, now: float, until: float) -> Job | None:
        """Take a job; see the port. SKIP LOCKED on PostgreSQL, the one writer on SQLite."""
        query = _due(kinds, now).order_by(jobs.c.run_at, jobs.c.id).limit(1)
        found = self._connection.execute(query.with_for_update(skip_locked=True)).scalar()
        if found is None:
            return None
        self._connection.execute(
            update(jobs)
            .where(jobs.c.id == found)
            .values(
                leased_until=until,
                lease_owner=owner,
                fence=jobs.c.fence + 1,
                attempts=jobs.c.attempts + 1,
            )
        )
        return _job(self._connection.execute(select(jobs).where(jobs.c.id == found)).one())

    def renew(self, job: Job, until: float) -> bool:
        """Hold the job longer; see the port."""
        return self._update(_held(job).values(leased_until=until))

    def complete(self, job: Job) -> bool:
        """End the job; see the port."""
        ended = delete(jobs).where(_holds(job), jobs.c.run_at == job.run_at)
        if self._connection.execute(ended).rowcount:
            return True
        return self._update(_held(job).values(**_free, attempts=0, last_error=""))

    def postpone(self, job: Job, run_at: float, *, attempts: int, error: str) -> bool:
        """Let the job go for now; see the port."""
        asked_again = case((jobs.c.run_at == job.run_at, run_at), else_=jobs.c.run_at)
        return self._update(
            _held(job).values(**_free, run_at=asked_again, attempts=attempts, last_error=error)
        )

    def _update(self, statement: Update) -> bool:
        return self._connection.execute(statement).rowcount > 0


class SqlJobStore:
    """Implements ``jobs.ports.JobStore`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def writing(self) -> Iterator[SqlQueue]:
        """Enter a writing unit. The machine may lose what it did: it is done again then."""
        with self._database.writing(durable=False) as connection:
            yield SqlQueue(connection)

    def due(self, kinds: Collection[str], now: float) -> bool:
        """Whether there is something to claim."""
        with self._database.reading() as connection:
            return connection.execute(_due(kinds, now).limit(1)).first() is not None

    def jobs(self, limit: int) -> Sequence[Job]:
        """Return jobs, the next due first."""
        query = select(jobs).order_by(jobs.c.run_at, jobs.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query)]

    def queues(self, now: float) -> Sequence[Queue]:
        """Return what there is of each kind, for figures."""
        held = jobs.c.leased_until > now
        due = and_(jobs.c.run_at <= now, ~held)
        query = select(
            jobs.c.kind,
            func.sum(case((due, 1), else_=0)),
            func.sum(case((held, 1), else_=0)),
            func.sum(case((jobs.c.last_error != "", 1), else_=0)),
            func.coalesce(func.max(case((due, now - jobs.c.run_at), else_=0.0)), 0.0),
        ).group_by(jobs.c.kind)
        with self._database.reading() as connection:
            return [Queue(*row) for row in connection.execute(query)]


_free = {"leased_until": 0.0, "lease_owner": ""}


def _due(kinds: Collection[str], now: float) -> Select[tuple[int]]:
    return select(jobs.c.id).where(
        jobs.c.kind.in_(sorted(kinds)), jobs.c.run_at <= now, jobs.c.leased_until <= now
    )


def _holds(job: Job) -> ColumnElement[bool]:
    # The fence alone would do, were claims always durable: the owner tells two of one fence apart.
    return and_(
        jobs.c.id == job.id, jobs.c.fence == job.fence, jobs.c.lease_owner == job.lease_owner
    )


def _held(job: Job) -> Update:
    return update(jobs).where(_holds(job))


def _job(row: Row[Any]) -> Job:
    return Job(**(row._asdict() | {"payload": json.loads(row.payload)}))
