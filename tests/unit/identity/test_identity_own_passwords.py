"""Another password ends what was signed in with the old one, and nothing else."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.races import at_once
from tests.unit.identity.house import ADDRESS, PASSWORD, House, Tenant
from wharfinger.identity.model import (
    Caller,
    Claims,
    CredentialsWrong,
    CurrentPasswordWrong,
    NotFound,
    RefreshInvalid,
    TooManyFailures,
    ValueInvalid,
)

NEW = "battery horse correct"
EMAIL = "one@example.com"
API_KEY = "urn:ibm:params:oauth:grant-type:apikey"


def by_user(house: House, tenant: Tenant) -> None:
    house.services.own_passwords.change(tenant.manager, PASSWORD, NEW, ADDRESS)


def by_operator(house: House, _: Tenant) -> None:
    house.services.own_passwords.operator_set("One@example.com ", NEW)


def signed_in(house: House, password: str = PASSWORD) -> Claims:
    return house.iam("password", username=EMAIL, password=password)


@pytest.mark.parametrize("change", [by_user, by_operator])
def test_what_was_signed_in_with_the_old_one_ends(
    house: House, change: Callable[[House, Tenant], None]
) -> None:
    tenant = house.tenant("one", "team")
    other_worker = house.worker()
    session, image = signed_in(house), house.registry(EMAIL, PASSWORD, "repository:team/a:pull")
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    kept = house.services.sign_in.exchange(form, ADDRESS, with_refresh=True).refresh_token
    key = house.iam(API_KEY, apikey=tenant.api_key)
    assert other_worker.tokens.is_current(session)

    change(house, tenant)

    assert not house.services.tokens.is_current(session)
    assert not house.services.tokens.is_current(image)
    house.clock.now += house.settings.revocation_seconds
    assert not other_worker.tokens.is_current(session)
    with pytest.raises(RefreshInvalid):
        house.iam("refresh_token", refresh_token=kept)
    with pytest.raises(CredentialsWrong):
        signed_in(house)
    assert house.services.tokens.is_current(signed_in(house, NEW))
    assert house.services.tokens.is_current(key)
    last = house.audit.page(tenant.manager, None, 1)[0]
    assert (last.action, last.target) == ("user.password", tenant.manager.iam_id)


def test_who_does_not_know_the_current_one_changes_nothing_and_is_slowed_down(
    house: House,
) -> None:
    tenant = house.tenant("one")
    change = house.services.own_passwords.change
    for _ in range(house.settings.signin_failures):
        with pytest.raises(CurrentPasswordWrong):
            change(tenant.manager, "wrong", NEW, ADDRESS)
    with pytest.raises(TooManyFailures):
        change(tenant.manager, PASSWORD, NEW, ADDRESS)
    house.clock.now += house.settings.signin_window_seconds
    with pytest.raises(ValueInvalid):
        change(tenant.manager, PASSWORD, "short", ADDRESS)
    assert house.services.tokens.is_current(signed_in(house))


def test_without_a_password_there_is_none_to_change(house: House) -> None:
    tenant = house.tenant("one")
    administration, passwords = house.services.administration, house.services.own_passwords
    member = administration.operator_add_user(tenant.account, "two@example.com", None, "Reader")
    robot = house.services.people.create_service_id(tenant.manager, "ci")
    for iam_id in (member.iam_id, robot.iam_id):
        with pytest.raises(CurrentPasswordWrong):
            passwords.change(Caller(iam_id, tenant.account, ""), "", NEW, ADDRESS)

    passwords.operator_set("two@example.com", NEW)

    assert house.iam("password", username="two@example.com", password=NEW)
    with pytest.raises(NotFound):
        passwords.operator_set("nobody@example.com", NEW)


def test_of_several_changes_at_once_one_counts(house: House) -> None:
    tenant = house.tenant("one")
    wanted = [f"{NEW} {number}" for number in range(4)]

    def change(password: str) -> bool:
        try:
            house.services.own_passwords.change(tenant.manager, PASSWORD, password, ADDRESS)
        except CurrentPasswordWrong:
            return False
        return True

    done = at_once(*[partial(change, password) for password in wanted])
    changed = [password for password, one in zip(wanted, done, strict=True) if one]

    assert len(changed) == 1
    assert signed_in(house, changed[0])
