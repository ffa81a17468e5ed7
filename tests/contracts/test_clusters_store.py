"""What every store of clusters must do, on every database, also when several register at once."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.databases import DATABASES
from wharfinger.audit.store import SqlAuditTrail, record
from wharfinger.clusters.model import ClusterLimitReached, ClusterUnknown, Facts, Worker
from wharfinger.clusters.service import Clusters, Limits
from wharfinger.clusters.store import SqlClusterStore
from wharfinger.database.unit import Database
from wharfinger.identity.model import Account, Caller, Policy, Role, RoleMissing, ServiceId, User
from wharfinger.identity.service.access import Access
from wharfinger.identity.store import SqlStore
from wharfinger.namespaces.service import Owners
from wharfinger.namespaces.store import SqlNamespaceStore

NOW = 1_700_000_000
HOME, AWAY = "a" * 32, "b" * 32
SHOP = Facts("uid-1", (Worker("w1", public_ip="192.0.2.7"), Worker("w2", pool="default")))
PAT = Caller("iam-pat", HOME, "key", request_id="r1")
ROBOT = Caller("iam-robot", HOME, "key")
READER = Caller("iam-reader", HOME, "key")
STRANGER = Caller("iam-pat", AWAY, "key")


@dataclass
class Kit:
    database: Database

    def __post_init__(self) -> None:
        self.now = float(NOW)
        identity = SqlStore(self.database, record, self.clock)
        with identity.writing() as changes:
            for account in (HOME, AWAY):
                changes.add_account(Account(account, account[:4], "free", NOW))
            changes.add_user(User("iam-pat", "pat@example.com", None, False, NOW))
            changes.add_service_id(ServiceId("iam-robot", HOME, "robot", "", NOW))
            for number, (caller, role) in enumerate(
                (
                    (PAT, Role.MANAGER),
                    (STRANGER, Role.MANAGER),
                    (ROBOT, Role.WRITER),
                    (READER, Role.READER),
                )
            ):
                policy = Policy(f"p{number}", caller.account, caller.iam_id, role, "", NOW)
                changes.add_policy(policy)
        names = SqlNamespaceStore(
            self.database, record=record, enqueue=nothing_is_left, clock=self.clock
        )
        store = SqlClusterStore(self.database, record=record, clock=self.clock)
        access = Access(identity, Owners(names))
        self.clusters = Clusters(store, access, Limits(clusters=2, workers=10), self.clock)

    def clock(self) -> float:
        return self.now


def nothing_is_left(
    connection: Connection, kind: str, subject: str, payload: Mapping[str, str]
) -> None:
    raise AssertionError("nothing of clusters is left for later")


@pytest.fixture(params=DATABASES)
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    with DATABASES[request.param](tmp_path) as database:
        yield Kit(database)


def test_colleagues_find_what_was_registered_and_by_whom(kit: Kit) -> None:
    assert kit.clusters.register(PAT, "shop", SHOP)
    assert kit.clusters.register(ROBOT, "another", Facts("", ()))

    found = kit.clusters.one(READER, "shop")
    assert found.facts == SHOP
    assert (found.registered_at, found.known_as) == (NOW, "pat@example.com")
    listed = kit.clusters.list(READER)
    assert [(one.name, one.count, one.known_as) for one in listed] == [
        ("another", 0, "robot"),
        ("shop", 2, "pat@example.com"),
    ]
    assert [row.action for row in SqlAuditTrail(kit.database).page(HOME, None, 10)] == [
        "cluster.register",
        "cluster.register",
    ]


def test_new_facts_take_the_place_of_old_ones(kit: Kit) -> None:
    kit.clusters.register(PAT, "shop", SHOP)
    kit.now += 60
    assert not kit.clusters.register(ROBOT, "shop", Facts("uid-1", SHOP.workers[1:]))

    found = kit.clusters.one(PAT, "shop")
    assert (found.count, found.registered_at, found.known_as) == (1, NOW + 60, "robot")
    assert [worker.id for worker in found.facts.workers] == ["w2"]
    assert [(one.id, one.public_ip, one.state) for one in found.facts.deleted] == [
        ("w1", "192.0.2.7", "deleted")
    ]


def test_another_account_sees_and_changes_nothing_of_it(kit: Kit) -> None:
    kit.clusters.register(PAT, "shop", SHOP)

    assert kit.clusters.list(STRANGER) == []
    for act in (kit.clusters.one, kit.clusters.remove):
        with pytest.raises(ClusterUnknown):
            act(STRANGER, "shop")
    assert kit.clusters.register(STRANGER, "shop", Facts("uid-2", ()))
    assert kit.clusters.one(PAT, "shop").facts == SHOP
    kit.clusters.remove(STRANGER, "shop")
    assert kit.clusters.one(PAT, "shop").facts == SHOP


def test_a_reader_changes_nothing(kit: Kit) -> None:
    kit.clusters.register(PAT, "shop", SHOP)

    with pytest.raises(RoleMissing):
        kit.clusters.register(READER, "shop", Facts("", ()))
    with pytest.raises(RoleMissing):
        kit.clusters.remove(READER, "shop")
    assert kit.clusters.one(READER, "shop").facts == SHOP


def test_what_was_removed_is_gone(kit: Kit) -> None:
    kit.clusters.register(PAT, "shop", SHOP)
    kit.clusters.remove(ROBOT, "shop")

    with pytest.raises(ClusterUnknown):
        kit.clusters.one(PAT, "shop")
    with pytest.raises(ClusterUnknown):
        kit.clusters.remove(PAT, "shop")
    assert kit.clusters.register(PAT, "shop", Facts("", ()))
    # What went from a cluster of the same name before is nothing of this one.
    assert kit.clusters.one(PAT, "shop").facts.deleted == ()


def test_of_many_who_register_at_once_no_more_than_the_limit_get_in(kit: Kit) -> None:
    ready = threading.Barrier(4)
    refused: list[str] = []

    def register(number: int) -> None:
        ready.wait()
        try:
            kit.clusters.register(PAT, f"c{number}", SHOP)
        except ClusterLimitReached:
            refused.append(f"c{number}")

    threads = [threading.Thread(target=register, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 2
    assert len(kit.clusters.list(PAT)) == 2
    # What is there may still be told anew.
    assert not kit.clusters.register(PAT, kit.clusters.list(PAT)[0].name, SHOP)
