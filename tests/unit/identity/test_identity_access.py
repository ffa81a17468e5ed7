"""What roles allow, on what, to whom; and that nothing crosses from one tenant to another."""

import pytest
from msgspec.structs import replace

from tests.unit.identity.house import REGION, House, Tenant
from wharfinger.identity.model import (
    OPERATOR_ACCOUNT,
    AccountForbidden,
    Caller,
    Role,
    RoleMissing,
)

API_KEY = "urn:ibm:params:oauth:grant-type:apikey"


def member(house: House, tenant: Tenant, role: str | None, namespace: str | None = None) -> Caller:
    email = f"{role}-{namespace}@example.com"
    user = house.services.people.add_user(tenant.manager, email)
    if role:
        house.services.policies.create(tenant.manager, user.iam_id, role, namespace)
    return Caller(user.iam_id, tenant.account, "", region=REGION)


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (None, set()),
        ("Reader", {"pull"}),
        ("Writer", {"pull", "push", "delete"}),
        ("Manager", {"pull", "push", "delete"}),
    ],
)
@pytest.mark.parametrize("namespace", [None, "team"])
def test_registry_actions(
    house: House, role: str | None, actions: set[str], namespace: str | None
) -> None:
    tenant = house.tenant("one", "team")
    house.owners.namespaces[REGION, "other"] = tenant.account
    who = member(house, tenant, role, namespace).iam_id
    access = house.services.access
    assert access.actions(who, tenant.account, REGION, "team") == actions
    elsewhere = actions if namespace is None else set()
    assert access.actions(who, "", REGION, "other") == elsewhere
    assert access.actions(who, "", "other-region", "team") == set()
    assert access.actions(who, "", REGION, "missing") == set()


def test_a_bound_credential_acts_only_in_its_account(house: House) -> None:
    one, two = house.tenant("one", "team"), house.tenant("two", "crew")
    house.services.people.add_user(two.manager, "one@example.com", None, "Manager")
    who, access = one.manager.iam_id, house.services.access
    assert access.actions(who, "", REGION, "crew") == Role.MANAGER.actions
    assert access.actions(who, two.account, REGION, "crew") == Role.MANAGER.actions
    assert access.actions(who, one.account, REGION, "crew") == set()
    house.services.policies.create(two.manager, "anonymous", "Reader", "crew")
    assert access.actions(who, one.account, REGION, "crew") == {"pull"}


def test_may_answers_from_policy_not_from_the_token(house: House) -> None:
    tenant = house.tenant("one", "team")
    claims = house.registry("iamapikey", tenant.api_key)
    assert claims.access == {}
    assert house.services.access.may(claims, REGION, "team/app", "push")
    assert not house.services.access.may(claims, REGION, "other/app", "pull")


@pytest.mark.parametrize("held", [None, "Reader", "Writer", "Manager"])
@pytest.mark.parametrize("wanted", list(Role))
def test_control_roles(house: House, held: str | None, wanted: Role) -> None:
    tenant = house.tenant("one", "team")
    caller = member(house, tenant, held)
    allowed = held in {wanted.value, "Manager"}
    for namespace in (None, "team"):
        if allowed:
            house.services.access.require(caller, wanted, namespace)
        else:
            with pytest.raises(RoleMissing, match=wanted.value):
                house.services.access.require(caller, wanted, namespace)


def test_one_of_several_roles_suffices(house: House) -> None:
    tenant = house.tenant("one", "team")
    access = house.services.access
    writer = member(house, tenant, "Writer", "team")
    access.require(writer, {Role.READER, Role.WRITER}, "team")
    access.require_anywhere(writer, {Role.READER, Role.WRITER})
    with pytest.raises(RoleMissing, match="Reader or Writer"):
        access.require(writer, {Role.READER, Role.WRITER})


def test_foreign_and_unknown_namespaces_are_refused_alike(house: House) -> None:
    one = house.tenant("one", "team")
    house.tenant("two", "crew")
    texts = set()
    for namespace in ("crew", "missing"):
        with pytest.raises(RoleMissing) as refusal:
            house.services.access.require(one.manager, Role.READER, namespace)
        texts.add(str(refusal.value))
    assert len(texts) == 1


def test_visibility_in_the_control_api(house: House) -> None:
    tenant = house.tenant("one", "team")
    access = house.services.access
    assert access.visible_namespaces(tenant.manager).accounts == {tenant.account}
    reader = member(house, tenant, "Reader", "team")
    seen = access.visible_namespaces(reader)
    assert seen.includes(tenant.account, "team")
    assert not seen.includes(tenant.account, "other")
    with pytest.raises(RoleMissing):
        access.visible_namespaces(member(house, tenant, "Writer"))


def test_visibility_in_the_catalogue(house: House) -> None:
    one, two = house.tenant("one", "team"), house.tenant("two", "crew")
    house.services.policies.create(two.manager, "anonymous", "Reader", "crew")
    own = house.services.access.visible_to(house.registry("iamapikey", one.api_key))
    assert own.accounts == {one.account}
    assert own.namespaces == {(two.account, "crew")}
    public = house.services.access.visible_to(house.registry(None, ""))
    assert public.accounts == set()
    assert public.namespaces == {(two.account, "crew")}


def test_a_call_names_an_account_of_the_caller(house: House) -> None:
    one, two = house.tenant("one"), house.tenant("two")
    claims = house.iam(API_KEY, apikey=one.api_key)
    caller = house.services.access.caller(claims, one.account, "req-1")
    assert (caller.iam_id, caller.account, caller.request_id) == (
        one.manager.iam_id,
        one.account,
        "req-1",
    )
    for account in (two.account, "missing", ""):
        with pytest.raises(AccountForbidden):
            house.services.access.caller(claims, account, "")
        with pytest.raises(AccountForbidden):
            house.services.access.caller(replace(claims, account=""), account, "")


def test_a_tenant_cannot_borrow_the_operators_power(house: House) -> None:
    _, operator, key = house.services.administration.bootstrap("ops@example.com")
    assert house.services.access.caller(
        house.iam(API_KEY, apikey=key), OPERATOR_ACCOUNT, ""
    ).operator
    tenant = house.tenant("one")
    house.services.people.add_user(tenant.manager, "ops@example.com", None, "Manager")
    _, secret = house.services.api_keys.create(tenant.manager, "stolen", iam_id=operator)
    caller = house.services.access.caller(house.iam(API_KEY, apikey=secret), tenant.account, "")
    assert caller.iam_id == operator
    assert not caller.operator
