"""Managing accounts, users, service ids, API keys and policies."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.identity.house import PASSWORD, REGION, House, Tenant
from wharfinger.audit.model import AuditRow
from wharfinger.identity.model import (
    OPERATOR_ACCOUNT,
    AlreadyExists,
    ApiKeyUnknown,
    Caller,
    CredentialsWrong,
    LastManager,
    LimitReached,
    NotFound,
    OperatorOnly,
    RoleMissing,
    ValueInvalid,
)
from wharfinger.identity.ports import Page
from wharfinger_common.refusals import Refusal

API_KEY = "urn:ibm:params:oauth:grant-type:apikey"
ALL = Page(1000)


def operator(house: House) -> Caller:
    account, iam_id, _ = house.services.administration.bootstrap("ops@example.com")
    return Caller(iam_id, account, "", operator=True, region=REGION)


def trail(house: House, caller: Caller) -> list[AuditRow]:
    return list(house.audit.page(caller, None, 1000))


def test_the_first_start_makes_an_operator_who_may_do_everything(house: House) -> None:
    account, iam_id, key = house.services.administration.bootstrap("ops@example.com")
    claims = house.iam(API_KEY, apikey=key)
    assert (claims.account, claims.subject) == (account, iam_id) == (OPERATOR_ACCOUNT, iam_id)
    caller = house.services.access.caller(claims, account, "")
    assert house.services.administration.account(caller, account).plan == "standard"
    assert [member.iam_id for member in house.services.people.users(caller, ALL)] == [iam_id]


def test_starting_again_keeps_the_operator_and_replaces_its_key(house: House) -> None:
    account, iam_id, old = house.services.administration.bootstrap("ops@example.com")
    again, same, new = house.services.administration.bootstrap("OPS@example.com ")
    assert (again, same) == (account, iam_id)
    house.iam(API_KEY, apikey=new)
    with pytest.raises(ApiKeyUnknown):
        house.iam(API_KEY, apikey=old)


def test_a_start_that_dies_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("wharfinger.identity.store.changes.SqlChanges.add_api_key", power_cut)
        with pytest.raises(OSError, match="power cut"):
            house.services.administration.bootstrap("ops@example.com")
    assert house.services.administration.operator_accounts(ALL) == []
    house.services.administration.bootstrap("ops@example.com")


def test_nobodys_user_becomes_operator_by_its_name(house: House) -> None:
    house.tenant("one")
    with pytest.raises(ValueInvalid, match="no operator"):
        house.services.administration.bootstrap("one@example.com")
    assert len(house.services.administration.operator_accounts(ALL)) == 1


def test_operators_create_accounts_with_their_first_manager(house: House) -> None:
    boss = operator(house)
    create = house.services.administration.create_account
    account = create(boss, "acme", owner_email="a@acme.example", owner_password=PASSWORD)
    claims = house.iam("password", username="a@acme.example", password=PASSWORD)
    assert claims.account == account.id
    owner = house.services.access.caller(claims, account.id, "")
    assert [row.action for row in trail(house, owner)] == [
        "policy.create",
        "user.add",
        "account.create",
    ]
    with pytest.raises(OperatorOnly):
        create(owner, "other")
    assert len(house.services.administration.accounts(boss, ALL)) == 2
    assert list(house.services.administration.accounts(owner, ALL)) == [account]
    with pytest.raises(NotFound):
        house.services.administration.account(owner, OPERATOR_ACCOUNT)


def test_adding_a_user_tells_nothing_about_other_accounts(house: House) -> None:
    one, two = house.tenant("one"), house.tenant("two")
    house.clock.now += 1000
    known = house.services.people.add_user(two.manager, "one@example.com", "x" * 12)
    fresh = house.services.people.add_user(two.manager, "new@example.com", "x" * 12)
    assert known.joined_at == fresh.joined_at == int(house.clock.now)
    house.iam("password", username="one@example.com", password=PASSWORD, account=one.account)
    with pytest.raises(CredentialsWrong):
        house.iam("password", username="one@example.com", password="x" * 12)
    for email in ("one@example.com", "unheard@example.com"):
        with pytest.raises(ValueInvalid, match="12 to"):
            house.services.people.add_user(two.manager, email, "short")


def test_adding_a_user_twice_changes_nothing(house: House) -> None:
    tenant = house.tenant("one")
    first = house.services.people.add_user(tenant.manager, "u@example.com", None, "Reader")
    again = house.services.people.add_user(tenant.manager, "u@example.com", None, "Reader")
    assert first == again
    assert len(house.services.policies.list(tenant.manager, ALL, first.iam_id)) == 1


def test_removing_a_user_takes_keys_and_roles_in_this_account_only(house: House) -> None:
    one, two = house.tenant("one", "team"), house.tenant("two", "crew")
    user = house.services.people.add_user(one.manager, "u@example.com", PASSWORD, "Writer")
    house.services.people.add_user(two.manager, "u@example.com", None, "Writer")
    _, gone = house.services.api_keys.create(one.manager, "k", iam_id=user.iam_id)
    _, kept = house.services.api_keys.create(two.manager, "k", iam_id=user.iam_id)
    token = house.registry("u@example.com", PASSWORD, "repository:team/app:push")
    house.services.people.remove_user(one.manager, user.iam_id)
    assert not house.services.tokens.is_current(token)
    with pytest.raises(ApiKeyUnknown):
        house.iam(API_KEY, apikey=gone)
    assert house.iam(API_KEY, apikey=kept).account == two.account
    assert house.iam("password", username="u@example.com", password=PASSWORD)
    assert house.services.access.actions(user.iam_id, "", REGION, "team") == set()
    house.services.people.remove_user(two.manager, user.iam_id)
    with pytest.raises(CredentialsWrong):
        house.iam("password", username="u@example.com", password=PASSWORD)


def test_service_ids_act_through_their_keys_until_they_are_removed(house: House) -> None:
    tenant = house.tenant("one", "team")
    robot = house.services.people.create_service_id(tenant.manager, "robot", "builds")
    house.services.policies.create(tenant.manager, robot.iam_id, "Writer", "team")
    _, secret = house.services.api_keys.create(tenant.manager, "k", iam_id=robot.iam_id)
    token = house.registry("iamapikey", secret, "repository:team/app:push")
    assert token.grants("team/app", "push")
    house.services.people.remove_service_id(tenant.manager, robot.iam_id)
    assert not house.services.tokens.is_current(token)
    with pytest.raises(CredentialsWrong):
        house.registry("iamapikey", secret)
    assert list(house.services.people.service_ids(tenant.manager, ALL)) == []


def test_the_last_manager_stays(house: House) -> None:
    tenant = house.tenant("one")
    (policy,) = house.services.policies.list(tenant.manager, ALL)
    robot = house.services.people.create_service_id(tenant.manager, "robot")
    house.services.policies.create(tenant.manager, robot.iam_id, "Manager")
    with pytest.raises(LastManager):
        house.services.policies.delete(tenant.manager, policy.id)
    with pytest.raises(LastManager):
        house.services.people.remove_user(tenant.manager, tenant.manager.iam_id)
    assert house.services.policies.get(tenant.manager, policy.id) == policy
    house.services.people.add_user(tenant.manager, "second@example.com", None, "Manager")
    house.services.policies.delete(tenant.manager, policy.id)
    with pytest.raises(RoleMissing):
        house.services.people.users(tenant.manager, ALL)


def test_two_managers_who_remove_each_other_at_once_leave_one(house: House) -> None:
    tenant = house.tenant("one")
    second = house.services.people.add_user(tenant.manager, "b@example.com", None, "Manager")
    pair = (tenant.manager, Caller(second.iam_id, tenant.account, "", region=REGION))

    def remove(index: int) -> bool:
        try:
            house.services.people.remove_user(pair[index], pair[1 - index].iam_id)
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, (0, 1))) == [False, True]


def test_everybody_manages_its_own_keys_and_managers_all(house: House) -> None:
    tenant = house.tenant("one")
    user = house.services.people.add_user(tenant.manager, "u@example.com")
    plain, keys = Caller(user.iam_id, tenant.account, "", region=REGION), house.services.api_keys
    own, _ = keys.create(plain, "mine")
    assert [key.name for key in keys.list(plain, ALL)] == ["mine"]
    assert {key.name for key in keys.list(tenant.manager, ALL)} == {"first", "mine"}
    (other,) = keys.list(tenant.manager, ALL, tenant.manager.iam_id)
    for forbidden in (
        lambda: keys.create(plain, "x", iam_id=tenant.manager.iam_id),
        lambda: keys.list(plain, ALL, tenant.manager.iam_id),
    ):
        with pytest.raises(RoleMissing):
            forbidden()
    for hidden in (keys.get, keys.delete):
        with pytest.raises(NotFound):
            hidden(plain, other.id)
    keys.delete(plain, own.id)
    keys.delete(tenant.manager, other.id)
    assert list(keys.list(tenant.manager, ALL)) == []


@pytest.mark.parametrize(
    ("iam_id", "role", "namespace"),
    [("anonymous", "Writer", "team"), ("anonymous", "Reader", None), (None, "Owner", None)],
)
def test_policies_that_are_not_given(
    house: House, iam_id: str | None, role: str, namespace: str | None
) -> None:
    tenant = house.tenant("one", "team")
    subject = iam_id or tenant.manager.iam_id
    with pytest.raises(ValueInvalid):
        house.services.policies.create(tenant.manager, subject, role, namespace)


def test_policies_name_subjects_and_namespaces_of_the_account(house: House) -> None:
    one, two = house.tenant("one", "team"), house.tenant("two", "crew")
    create = house.services.policies.create
    for subject, namespace in (
        (two.manager.iam_id, "team"),
        ("nobody", "team"),
        (one.manager.iam_id, "crew"),
        (one.manager.iam_id, "missing"),
        ("anonymous", "crew"),
    ):
        with pytest.raises(NotFound):
            create(one.manager, subject, "Reader", namespace)
    create(one.manager, one.manager.iam_id, "Reader", "team")
    with pytest.raises(AlreadyExists):
        create(one.manager, one.manager.iam_id, "Reader", "team")


def test_policies_of_a_deleted_namespace_do_not_come_back_with_its_name(house: House) -> None:
    tenant = house.tenant("one", "team")
    house.services.policies.create(tenant.manager, "anonymous", "Reader", "team")
    for _ in range(2):
        house.services.policies.namespace_deleted(tenant.account, REGION, "team")
    assert house.registry(None, "", "repository:team/app:pull").access == {}


def test_lists_come_in_pages(house: House) -> None:
    tenant = house.tenant("one")
    for number in range(5):
        house.services.people.create_service_id(tenant.manager, f"robot-{number}")
    seen: list[str] = []
    while page := house.services.people.service_ids(
        tenant.manager, Page(2, seen[-1] if seen else "")
    ):
        assert len(page) <= 2
        seen += [robot.iam_id for robot in page]
    assert len(seen) == len(set(seen)) == 5


def test_the_number_of_identities_is_bounded(house: House) -> None:
    tenant = house.tenant("one")
    worker = house.worker(identities_per_account=10)
    for number in range(10):
        worker.people.create_service_id(tenant.manager, str(number))
    with pytest.raises(LimitReached, match="10 service ids"):
        worker.people.create_service_id(tenant.manager, "one too many")


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\x00b", "a\nb"])
def test_names_that_are_not_taken(house: House, name: str) -> None:
    tenant = house.tenant("one")
    with pytest.raises(ValueInvalid):
        house.services.people.create_service_id(tenant.manager, name)
    with pytest.raises(ValueInvalid):
        house.services.api_keys.create(tenant.manager, name)


@pytest.mark.parametrize("email", ["", "a", "@", "a b@c", "a@b\x00c", "x" * 250 + "@abc.example"])
def test_what_is_no_email(house: House, email: str) -> None:
    with pytest.raises(ValueInvalid):
        house.services.people.add_user(house.tenant("one").manager, email)


Call = Callable[[House, Caller, Tenant], object]
FOREIGN: dict[str, Call] = {
    "see a user": lambda h, c, t: h.services.people.user(c, t.manager.iam_id),
    "remove a user": lambda h, c, t: h.services.people.remove_user(c, t.manager.iam_id),
    "see a service id": lambda h, c, t: h.services.people.service_id(c, robot_of(h, t)),
    "remove a service id": lambda h, c, t: h.services.people.remove_service_id(c, robot_of(h, t)),
    "see a key": lambda h, c, t: h.services.api_keys.get(c, key_of(h, t)),
    "delete a key": lambda h, c, t: h.services.api_keys.delete(c, key_of(h, t)),
    "make a key": lambda h, c, t: h.services.api_keys.create(c, "k", iam_id=t.manager.iam_id),
    "see a policy": lambda h, c, t: h.services.policies.get(c, policy_of(h, t)),
    "delete a policy": lambda h, c, t: h.services.policies.delete(c, policy_of(h, t)),
    "see the account": lambda h, c, t: h.services.administration.account(c, t.account),
}


def robot_of(house: House, tenant: Tenant) -> str:
    return house.services.people.create_service_id(tenant.manager, "robot").iam_id


def key_of(house: House, tenant: Tenant) -> str:
    return house.services.api_keys.list(tenant.manager, ALL)[0].id


def policy_of(house: House, tenant: Tenant) -> str:
    return house.services.policies.list(tenant.manager, ALL)[0].id


@pytest.mark.parametrize("call", FOREIGN.values(), ids=FOREIGN)
def test_what_belongs_to_another_tenant_does_not_exist(house: House, call: Call) -> None:
    one, two = house.tenant("one"), house.tenant("two")
    with pytest.raises(NotFound):
        call(house, one.manager, two)
    intruder = Caller(one.manager.iam_id, two.account, "", region=REGION)
    if call is not FOREIGN["see the account"]:
        with pytest.raises((RoleMissing, NotFound)):
            call(house, intruder, two)
    actors = {row.actor for row in trail(house, two.manager)}
    assert one.manager.iam_id not in actors


def test_every_change_leaves_a_row_and_a_failed_one_none(house: House) -> None:
    tenant = house.tenant("one", "team")
    caller = Caller(tenant.manager.iam_id, tenant.account, "", request_id="req-9", region=REGION)
    services = house.services
    user = services.people.add_user(caller, "u@example.com", PASSWORD)
    robot = services.people.create_service_id(caller, "robot")
    policy = services.policies.create(caller, user.iam_id, "Reader", "team")
    key, secret = services.api_keys.create(caller, "k")
    with pytest.raises(AlreadyExists):
        services.policies.create(caller, user.iam_id, "Reader", "team")
    services.policies.delete(caller, policy.id)
    services.api_keys.delete(caller, key.id)
    services.people.remove_service_id(caller, robot.iam_id)
    services.people.remove_user(caller, user.iam_id)
    rows = [row for row in trail(house, caller) if row.request_id == "req-9"]
    assert [(row.action, row.target) for row in reversed(rows)] == [
        ("user.add", user.iam_id),
        ("serviceid.create", robot.iam_id),
        ("policy.create", policy.id),
        ("apikey.create", key.id),
        ("policy.delete", policy.id),
        ("apikey.delete", key.id),
        ("serviceid.delete", robot.iam_id),
        ("user.remove", user.iam_id),
    ]
    assert all(row.actor == caller.iam_id for row in rows)
    assert secret not in repr(rows)
    assert PASSWORD not in repr(rows)
