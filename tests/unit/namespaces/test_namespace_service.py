"""Adding, listing, grouping and removing namespaces, by who may and who may not."""

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.namespaces.harbour import REGION, Account, Harbour
from wharfinger.identity.model import Caller, RoleMissing
from wharfinger.namespaces import model
from wharfinger.settings import Settings
from wharfinger_common.refusals import Refusal


@pytest.fixture
def acme(harbour: Harbour) -> Account:
    return harbour.account("acme")


@pytest.fixture
def rival(harbour: Harbour) -> Account:
    return harbour.account("rival")


def names(harbour: Harbour, caller: Caller) -> list[str]:
    return [one.name for one in harbour.namespaces.list(caller)]


def test_a_new_namespace_belongs_to_the_account(harbour: Harbour, acme: Account) -> None:
    added = harbour.namespaces.add(acme.manager, "team")
    assert added.new
    assert harbour.owners.require(REGION, "team").account == acme.id
    assert names(harbour, acme.manager) == ["team"]
    assert [(row.action, row.target, row.actor) for row in harbour.audited(acme.id)] == [
        ("namespace.add", "namespace:team", acme.manager.iam_id)
    ]


def test_ones_own_namespace_is_found_and_changes_nothing(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.add(acme.manager, "team", "group1")
    again = harbour.namespaces.add(acme.manager, "team", "group2")
    assert not again.new
    assert again.namespace.resource_group == "group1"
    assert len(harbour.audited(acme.id)) == 1


def test_a_name_of_another_account_is_in_use(
    harbour: Harbour, acme: Account, rival: Account
) -> None:
    harbour.namespaces.add(acme.manager, "team")
    with pytest.raises(model.NamespaceInUse) as caught:
        harbour.namespaces.add(rival.manager, "team")
    assert str(caught.value) == "The namespace 'team' is already in use."
    assert names(harbour, rival.manager) == []
    assert harbour.audited(rival.id) == []


def test_names_are_apart_in_each_region(harbour: Harbour, acme: Account, rival: Account) -> None:
    harbour.namespaces.add(replace(acme.manager, region="north"), "team")
    assert harbour.namespaces.add(replace(rival.manager, region="south"), "team").new
    assert harbour.owners.owner("north", "team") == acme.id
    assert harbour.owners.owner("south", "team") == rival.id
    assert harbour.owners.owner("west", "team") is None


def test_two_accounts_that_add_one_name_at_once_end_with_one_owner(harbour: Harbour) -> None:
    accounts = [harbour.account(f"acc{number}") for number in range(4)]
    for attempt in range(10):
        name = f"race{attempt}"
        ready = threading.Barrier(len(accounts))
        outcomes: dict[str, str] = {}

        def add(account: Account) -> None:
            ready.wait()  # noqa: B023 - the threads end within the iteration
            try:
                harbour.namespaces.add(account.manager, name)  # noqa: B023 - as above
            except model.NamespaceInUse:
                outcomes[account.id] = "in use"  # noqa: B023 - as above
            else:
                outcomes[account.id] = "added"  # noqa: B023 - as above

        threads = [threading.Thread(target=add, args=(account,)) for account in accounts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        owners = [account for account, outcome in outcomes.items() if outcome == "added"]
        assert owners == [harbour.owners.owner(REGION, name)]
        assert sorted(outcomes.values()) == ["added", "in use", "in use", "in use"]


@pytest.mark.parametrize("role", ["Reader", "Writer", None])
def test_only_managers_add_remove_and_assign(
    harbour: Harbour, acme: Account, role: str | None
) -> None:
    harbour.namespaces.add(acme.manager, "team")
    lesser = harbour.member(acme.id, "lesser@example.com", role)
    for attempt in (
        lambda: harbour.namespaces.add(lesser, "other"),
        lambda: harbour.namespaces.add(lesser, "team"),
        lambda: harbour.namespaces.remove(lesser, "team"),
        lambda: harbour.namespaces.assign(lesser, "team", "group"),
    ):
        with pytest.raises(RoleMissing):
            attempt()
    assert names(harbour, acme.manager) == ["team"]


def test_the_manager_of_one_namespace_removes_that_and_adds_none(
    harbour: Harbour, acme: Account
) -> None:
    for name in ("team", "other"):
        harbour.namespaces.add(acme.manager, name)
    local = harbour.member(acme.id, "local@example.com", "Manager", "team")
    with pytest.raises(RoleMissing):
        harbour.namespaces.add(local, "third")
    with pytest.raises(RoleMissing):
        harbour.namespaces.remove(local, "other")
    assert names(harbour, local) == ["team"]
    harbour.namespaces.remove(local, "team")
    assert names(harbour, acme.manager) == ["other"]


def test_readers_list_and_writers_do_not(harbour: Harbour, acme: Account) -> None:
    for name in ("zeta", "beta"):
        harbour.namespaces.add(acme.manager, name)
    reader = harbour.member(acme.id, "r@example.com", "Reader")
    narrow = harbour.member(acme.id, "n@example.com", "Reader", "zeta")
    writer = harbour.member(acme.id, "w@example.com", "Writer")
    assert names(harbour, reader) == ["beta", "zeta"]
    assert names(harbour, narrow) == ["zeta"]
    with pytest.raises(RoleMissing):
        names(harbour, writer)


def test_foreign_and_unknown_namespaces_are_refused_in_the_same_words(
    harbour: Harbour, acme: Account, rival: Account
) -> None:
    harbour.namespaces.add(acme.manager, "team")

    def attempt(name: str, act: str) -> None:
        if act == "remove":
            harbour.namespaces.remove(rival.manager, name)
        else:
            harbour.namespaces.assign(rival.manager, name, "group")

    def refusal(name: str, act: str) -> tuple[type[Refusal], str]:
        with pytest.raises(Refusal) as caught:
            attempt(name, act)
        return type(caught.value), str(caught.value)

    for act in ("remove", "assign"):
        assert refusal("team", act) == refusal("never", act)
        assert refusal("team", act)[0].entry.status == 403
    assert harbour.owners.owner(REGION, "team") == acme.id


def test_an_account_has_no_more_namespaces_than_allowed(tmp_path: Path) -> None:
    harbour = Harbour(tmp_path, Settings(region=REGION, namespaces_per_account=2))
    acme, rival = harbour.account("acme"), harbour.account("rival")
    harbour.namespaces.add(rival.manager, "theirs")
    for name in ("one1", "two2"):
        harbour.namespaces.add(acme.manager, name)
    with pytest.raises(model.NamespaceLimitReached, match="2 namespaces"):
        harbour.namespaces.add(acme.manager, "three")
    assert not harbour.namespaces.add(acme.manager, "one1").new
    with pytest.raises(model.NamespaceInUse):
        harbour.namespaces.add(acme.manager, "theirs")
    harbour.namespaces.remove(acme.manager, "one1")
    with pytest.raises(model.NamespaceLimitReached):
        harbour.namespaces.add(acme.manager, "three")
    harbour.work()
    assert harbour.namespaces.add(acme.manager, "three").new
    harbour.close()


def test_an_unknown_namespace_says_how_to_add_it(harbour: Harbour) -> None:
    with pytest.raises(model.NamespaceUnknown) as caught:
        harbour.owners.require(REGION, "nowhere")
    text = str(caught.value) + caught.value.entry.render_cure(caught.value.facts)
    assert "ibmcloud cr namespace-add nowhere" in text
    assert "wharf cr namespace-add nowhere" in text
    assert "PUT /api/v1/namespaces/nowhere" in text
    assert caught.value.entry.oci == "NAME_UNKNOWN"


def test_a_namespace_is_put_into_a_group_once(harbour: Harbour, acme: Account) -> None:
    harbour.namespaces.add(acme.manager, "team")
    harbour.clock.now += 10
    harbour.namespaces.assign(acme.manager, "team", "group1")
    (team,) = harbour.namespaces.list(acme.manager)
    assert (team.resource_group, team.updated_at - team.created_at) == ("group1", 10)
    with pytest.raises(model.ResourceGroupSet):
        harbour.namespaces.assign(acme.manager, "team", "group2")
    assert [row.action for row in harbour.audited(acme.id)] == [
        "namespace.add",
        "namespace.assign",
    ]


@pytest.mark.parametrize("group", ["", "a b", "x" * 65])
def test_a_group_of_another_form_is_refused(harbour: Harbour, acme: Account, group: str) -> None:
    harbour.namespaces.add(acme.manager, "team")
    with pytest.raises(model.ResourceGroupInvalid):
        harbour.namespaces.assign(acme.manager, "team", group)


def test_the_operator_adds_a_namespace_to_any_account(harbour: Harbour, acme: Account) -> None:
    assert harbour.namespaces.operator_add(acme.id, REGION, "team").new
    assert harbour.owners.owner(REGION, "team") == acme.id
    assert [row.actor for row in harbour.audited(acme.id)] == ["operator"]
