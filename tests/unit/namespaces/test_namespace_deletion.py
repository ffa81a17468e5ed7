"""Deletion: refused access at once, a name that stays taken, and work that survives failures."""

import pytest

from tests.unit.namespaces.harbour import KEEP_SECONDS, REGION, Account, Harbour
from wharfinger.identity.model import RoleMissing
from wharfinger.namespaces import model
from wharfinger.namespaces.store import is_deleting


@pytest.fixture
def acme(harbour: Harbour) -> Account:
    account = harbour.account("acme")
    harbour.namespaces.add(account.manager, "team")
    harbour.crates.left[REGION, "team"] = 3
    return account


def test_access_ends_at_once(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.remove(acme.manager, "team")
    assert harbour.owners.owner(REGION, "team") is None
    with pytest.raises(model.NamespaceUnknown):
        harbour.owners.require(REGION, "team")
    assert harbour.namespaces.list(acme.manager) == []


def test_the_name_stays_taken_until_all_is_gone(harbour: Harbour, acme: Account) -> None:
    rival = harbour.account("rival")
    harbour.namespaces.remove(acme.manager, "team")
    with pytest.raises(model.NamespaceStillEmptying, match="left to remove: 4"):
        harbour.namespaces.add(acme.manager, "team")
    with pytest.raises(model.NamespaceInUse) as caught:
        harbour.namespaces.add(rival.manager, "team")
    assert "4" not in str(caught.value)
    assert harbour.work().errors == []
    assert harbour.crates.left[REGION, "team"] == 0
    assert harbour.namespaces.add(acme.manager, "team").new


def test_the_name_is_kept_from_others_while_tokens_for_it_may_stand(
    harbour: Harbour, acme: Account
) -> None:
    rival = harbour.account("rival")
    harbour.namespaces.remove(acme.manager, "team")
    harbour.work()
    harbour.clock.now += KEEP_SECONDS - 1
    with pytest.raises(model.NamespaceInUse):
        harbour.namespaces.add(rival.manager, "team")
    harbour.clock.now += 1
    assert harbour.namespaces.add(rival.manager, "team").new
    assert harbour.owners.owner(REGION, "team") == rival.id


def test_names_that_nobody_wants_are_not_kept_for_ever(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.add(acme.manager, "crew")
    for name in ("team", "crew"):
        harbour.namespaces.remove(acme.manager, name)
        harbour.work()
        harbour.clock.now += KEEP_SECONDS + 1
    with harbour.store.reading() as records:
        assert records.find(REGION, "team") is None
        assert records.find(REGION, "crew") is not None


def test_deleting_twice_is_one_deletion(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.remove(acme.manager, "team")
    harbour.namespaces.remove(acme.manager, "team")
    assert len(harbour.jobs.list()) == 1
    reader = harbour.member(acme.id, "r@example.com", "Reader")
    with pytest.raises(RoleMissing):
        harbour.namespaces.remove(reader, "team")
    harbour.work()
    with pytest.raises(RoleMissing):
        harbour.namespaces.remove(acme.manager, "team")
    assert [row.action for row in harbour.audited(acme.id)] == [
        "namespace.add",
        "namespace.remove",
        "namespace.emptied",
    ]


def test_a_failed_step_is_tried_again(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.remove(acme.manager, "team")
    harbour.crates.fail = True
    assert len(harbour.work().errors) == 1
    with pytest.raises(model.NamespaceStillEmptying):
        harbour.namespaces.add(acme.manager, "team")
    harbour.crates.fail = False
    harbour.clock.now += 300
    assert harbour.work().errors == []
    assert harbour.namespaces.add(acme.manager, "team").new


def test_policies_for_the_namespace_end_with_it(harbour: Harbour, acme: Account) -> None:
    reader = harbour.member(acme.id, "r@example.com", "Reader", "team")
    harbour.namespaces.remove(acme.manager, "team")
    harbour.work()
    harbour.namespaces.add(acme.manager, "team")
    with pytest.raises(RoleMissing):
        harbour.namespaces.list(reader)


def test_a_worker_that_wakes_late_does_not_touch_the_next_of_the_name(
    harbour: Harbour, acme: Account
) -> None:
    harbour.namespaces.remove(acme.manager, "team")
    (job,) = harbour.jobs.list()
    harbour.work()
    harbour.namespaces.add(acme.manager, "team")
    harbour.crates.left[REGION, "team"] = 5
    harbour.jobs.ensure(job.kind, job.subject, job.payload)
    assert harbour.work().errors == []
    assert harbour.crates.left[REGION, "team"] == 5
    assert harbour.owners.owner(REGION, "team") == acme.id


def test_steps_can_see_that_they_are_still_wanted(harbour: Harbour, acme: Account) -> None:
    def deleting() -> bool:
        with harbour.database.writing() as connection:
            return is_deleting(connection, REGION, "team")

    assert not deleting()
    harbour.namespaces.remove(acme.manager, "team")
    assert deleting()
    harbour.work()
    assert not deleting()
