"""Namespaces wired as in the service: real identity, jobs and audit over one SQLite file."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from tests.unit.identity.house import FakeClock
from wharfinger.audit.model import AuditRow
from wharfinger.audit.store import SqlAuditTrail, record
from wharfinger.database.schema import metadata
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.identity.model import Caller
from wharfinger.identity.services import build
from wharfinger.jobs.model import Job
from wharfinger.jobs.runner import Runner
from wharfinger.jobs.service import Jobs
from wharfinger.jobs.store import SqlJobStore, SqlQueue
from wharfinger.namespaces.deletion import Emptying
from wharfinger.namespaces.model import EMPTYING
from wharfinger.namespaces.ports import DeletionStep
from wharfinger.namespaces.service import Namespaces, Owners, Rules
from wharfinger.namespaces.store import SqlNamespaceStore
from wharfinger.settings import Settings

KEEP_SECONDS = 300
REGION = "local"


class Crates:
    """A deletion step over things that are counted; ``fail`` makes the next run raise."""

    name = "crates"

    def __init__(self) -> None:
        self.left: dict[tuple[str, str], int] = {}
        self.fail = False

    def run(self, region: str, namespace: str) -> bool:
        if self.fail:
            raise OSError("disk gone")
        left = self.remaining(region, namespace)
        self.left[region, namespace] = max(left - 1, 0)
        return left <= 1

    def remaining(self, region: str, namespace: str) -> int:
        return self.left.get((region, namespace), 0)


class Silent:
    """An observer that keeps what went wrong."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def started(self, job: Job) -> None:
        pass

    def ended(self, job: Job, outcome: str, seconds: float) -> None:
        pass

    def failed(self, job: Job | None, error: Exception) -> None:
        self.errors.append(error)


@dataclass
class Account:
    id: str
    manager: Caller


class Harbour:
    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.clock = FakeClock()
        self.settings = settings or Settings(region=REGION)
        self.database = SqliteDatabase(folder / "harbour.db")
        with self.database.writing() as connection:
            metadata.create_all(connection)
        self.jobs = Jobs(SqlJobStore(self.database), self.clock, lease=60.0, longest_retry=300.0)
        self.store = SqlNamespaceStore(
            self.database, record=record, enqueue=self._enqueue, clock=self.clock
        )
        self.owners = Owners(self.store)
        self.identity = build(
            self.settings,
            self.database,
            owners=self.owners,
            record=record,
            master_key=bytes(32),
            clock=self.clock,
        )
        self.crates = Crates()
        self.steps: Sequence[DeletionStep] = (self.crates,)
        rules = Rules(
            self.settings.namespace_hyphens, self.settings.namespaces_per_account, KEEP_SECONDS
        )
        self.namespaces = Namespaces(
            self.store, self.identity.access, self.steps, rules, self.clock
        )

    def close(self) -> None:
        self.database.close()

    def account(self, name: str) -> Account:
        administration = self.identity.administration
        account = administration.operator_create_account(name).id
        return Account(account, self.member(account, f"{name}@example.com", "Manager"))

    def member(self, account: str, email: str, role: str | None, namespace: str = "") -> Caller:
        """A user of the account with a role on it, or on one namespace."""
        administration = self.identity.administration
        wide = None if namespace else role
        added = administration.operator_add_user(account, email, None, wide)
        caller = Caller(added.iam_id, account, "", region=REGION)
        if namespace and role:
            self._grant(account, added.iam_id, role, namespace)
        return caller

    def _grant(self, account: str, iam_id: str, role: str, namespace: str) -> None:
        # Policies are given by a Manager of the account.
        boss = self.member(account, f"boss-{iam_id}@example.com", "Manager")
        self.identity.policies.create(boss, iam_id, role, namespace)

    def audited(self, account: str) -> list[AuditRow]:
        """What was done to namespaces of the account, oldest first."""
        rows = SqlAuditTrail(self.database).page(account, None, 1000)
        return [row for row in reversed(rows) if row.action.startswith("namespace.")]

    def work(self) -> Silent:
        """Do all the background work that is due."""
        observer = Silent()
        emptying = Emptying(
            self.store, self.steps, self.identity.policies, self.clock, KEEP_SECONDS
        )
        handlers = {EMPTYING: emptying}
        runner = Runner(
            self.jobs, handlers, observer, owner="test", poll=0.01, stop=threading.Event()
        )
        while runner.run_one():
            pass
        return observer

    def _enqueue(
        self, connection: Connection, kind: str, subject: str, payload: Mapping[str, str]
    ) -> None:
        self.jobs.enqueue(SqlQueue(connection), kind, subject, payload)
