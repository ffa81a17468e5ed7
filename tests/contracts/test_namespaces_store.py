"""What every store of namespaces must do, on every database."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, insert

from tests.support.databases import DATABASES
from wharfinger.audit.model import AuditRow
from wharfinger.audit.store import SqlAuditTrail, record
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.identity.tables import accounts
from wharfinger.namespaces.model import Namespace, State
from wharfinger.namespaces.ports import Store
from wharfinger.namespaces.store import SqlNamespaceStore, hold_owner, is_deleting

NOW = 1_000
TEAM = Namespace("north", "team", "acc1", NOW, NOW)
CALLER = Caller("user-1", "acc1", "key-1", request_id="r1")


@dataclass
class Kit:
    """A store, and what it asked for within its transactions."""

    database: Database
    enqueued: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store: Store = SqlNamespaceStore(
            self.database, record=record, enqueue=self._enqueue, clock=lambda: float(NOW)
        )

    def _enqueue(
        self, connection: Connection, kind: str, subject: str, payload: Mapping[str, str]
    ) -> None:
        assert connection.in_transaction()
        self.enqueued.append((kind, subject, payload))

    def add(self, namespace: Namespace) -> bool:
        with self.store.writing() as changes:
            return changes.add(namespace)

    def find(self, region: str = "north", name: str = "team") -> Namespace:
        with self.store.reading() as records:
            found = records.find(region, name)
        assert found is not None
        return found

    def delete(self) -> bool:
        with self.store.writing() as changes:
            return changes.start_deletion(self.find(), "user-1", NOW + 5)

    def audited(self) -> list[AuditRow]:
        return list(SqlAuditTrail(self.database).page("acc1", None, 10))


@pytest.fixture(params=DATABASES)
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    rows = [
        {"id": name, "name": name, "plan": "free", "created_at": NOW} for name in ("acc1", "acc2")
    ]
    with DATABASES[request.param](tmp_path) as database:
        with database.writing() as connection:
            connection.execute(insert(accounts), rows)
        yield Kit(database)


def test_what_was_added_is_found_as_it_was(kit: Kit) -> None:
    assert kit.add(replace(TEAM, resource_group="g1"))
    found = kit.find()
    assert replace(found, id=0) == replace(TEAM, resource_group="g1")
    assert found.id > 0


def test_a_name_is_taken_once_in_a_region_whoever_asks(kit: Kit) -> None:
    assert kit.add(TEAM)
    assert not kit.add(TEAM)
    assert not kit.add(replace(TEAM, account="acc2"))
    assert kit.add(replace(TEAM, region="south", account="acc2"))
    assert kit.find().account == "acc1"


def test_of_many_who_add_one_name_at_once_one_has_it(kit: Kit) -> None:
    ready = threading.Barrier(4)
    added: list[bool] = []

    def add(account: str) -> None:
        ready.wait()
        added.append(kit.add(replace(TEAM, account=account)))

    threads = [threading.Thread(target=add, args=(f"acc{n % 2 + 1}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False, False, False, True]


def test_lists_and_counts_are_of_one_account_and_region(kit: Kit) -> None:
    for namespace in (
        replace(TEAM, name="zeta"),
        TEAM,
        replace(TEAM, name="other", account="acc2"),
        replace(TEAM, name="away", region="south"),
    ):
        assert kit.add(namespace)
    with kit.store.reading() as records:
        assert [one.name for one in records.active_of("north", "acc1")] == ["team", "zeta"]
        assert records.count("north", "acc1") == 2
        assert records.count("south", "acc2") == 0


def test_a_deleted_namespace_is_counted_but_not_listed(kit: Kit) -> None:
    kit.add(TEAM)
    assert kit.delete()
    assert not kit.delete()
    assert (kit.find().state, kit.find().updated_at) == (State.DELETING, NOW + 5)
    with kit.store.reading() as records:
        assert records.active_of("north", "acc1") == []
        assert records.count("north", "acc1") == 1
    assert not kit.add(replace(TEAM, account="acc2"))


def test_a_deletion_asks_for_one_job_that_knows_all_it_needs(kit: Kit) -> None:
    kit.add(TEAM)
    kit.delete()
    kit.delete()
    ((kind, subject, payload),) = kit.enqueued
    assert (kind, subject) == ("empty-namespace", "north/team")
    assert payload == {
        "region": "north",
        "name": "team",
        "account": "acc1",
        "id": str(kit.find().id),
        "requested_by": "user-1",
    }


def test_only_the_name_of_what_was_deleted_is_kept_and_forgotten(kit: Kit) -> None:
    kit.add(TEAM)
    with kit.store.writing() as changes:
        assert not changes.keep(kit.find())
        changes.forget(kit.find())
        assert changes.count(TEAM.region, TEAM.account) == 1
    kit.delete()
    with kit.store.writing() as changes:
        changes.forget(kit.find())
        assert changes.keep(kit.find())
        assert not changes.keep(kit.find())
        assert changes.count(TEAM.region, TEAM.account) == 0
    assert (kit.find().state, kit.find().account) == (State.KEPT, TEAM.account)
    assert not kit.add(replace(TEAM, account="acc2"))
    with kit.store.writing() as changes:
        changes.forget(kit.find())
    assert kit.add(replace(TEAM, account="acc2"))


def test_kept_names_are_forgotten_by_age(kit: Kit) -> None:
    kit.add(TEAM)
    kit.add(replace(TEAM, name="other"))
    kit.delete()
    with kit.store.writing() as changes:
        changes.keep(kit.find())
    at = kit.find().updated_at
    with kit.store.writing() as changes:
        changes.forget_kept(at)
    assert kit.find().state is State.KEPT
    with kit.store.writing() as changes:
        changes.forget_kept(at + 1)
        assert changes.find(TEAM.region, TEAM.name) is None
        assert changes.find(TEAM.region, "other") is not None


def test_a_group_is_assigned_once_and_to_active_namespaces(kit: Kit) -> None:
    kit.add(TEAM)
    with kit.store.writing() as changes:
        assert changes.assign(kit.find(), "g1", NOW + 1)
        assert not changes.assign(kit.find(), "g2", NOW + 2)
    assert (kit.find().resource_group, kit.find().updated_at) == ("g1", NOW + 1)
    kit.add(replace(TEAM, name="gone"))
    gone = kit.find(name="gone")
    with kit.store.writing() as changes:
        changes.start_deletion(gone, "user-1", NOW)
        assert not changes.assign(gone, "g1", NOW)


def test_other_rooms_see_within_their_transactions_what_stands(kit: Kit) -> None:
    def seen(name: str) -> tuple[str | None, bool]:
        with kit.database.writing() as connection:
            return hold_owner(connection, "north", name), is_deleting(connection, "north", name)

    kit.add(TEAM)
    assert seen("team") == ("acc1", False)
    assert seen("never") == (None, False)
    kit.delete()
    assert seen("team") == (None, True)


def test_a_unit_that_fails_leaves_neither_change_nor_audit_row(kit: Kit) -> None:
    def fail() -> None:
        with kit.store.writing() as changes:
            changes.lock_account("acc1")
            changes.add(TEAM)
            changes.audit(CALLER, "namespace.add", TEAM, {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kit.audited() == []
    assert kit.add(TEAM)


def test_an_audit_row_says_who_did_what(kit: Kit) -> None:
    with kit.store.writing() as changes:
        changes.add(TEAM)
        changes.audit(CALLER, "namespace.add", TEAM, {"resource_group": "g1"})
    (row,) = kit.audited()
    assert (row.at, row.actor, row.action, row.target) == (
        NOW,
        "user-1",
        "namespace.add",
        "namespace:team",
    )
    assert row.request_id == "r1"
    assert row.detail["resource_group"] == "g1"
