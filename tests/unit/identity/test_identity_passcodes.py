"""Passcodes: typed as people type, used once, over after their time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.identity.house import PASSWORD, House, Tenant
from wharfinger.identity.model import (
    Credential,
    CredentialKind,
    PersonUnknown,
    TooManyFailures,
)
from wharfinger.identity.service.passcodes import ALPHABET, is_passcode, plain, shown

ADDRESS = "192.0.2.1"
ADA = "ada@example.com"


@pytest.fixture
def ada(house: House) -> Tenant:
    return house.tenant("ada")


def redeem(house: House, code: str) -> Credential | None:
    return house.services.passcodes.redeem(code, ADDRESS)


def test_it_counts_once(house: House, ada: Tenant) -> None:
    code = house.services.passcodes.by_email("Ada@Example.com")

    found = redeem(house, code)
    assert found is not None
    assert (found.iam_id, found.kind) == (ada.manager.iam_id, CredentialKind.SSO)
    assert redeem(house, code) is None


@pytest.mark.usefixtures("ada")
def test_many_at_once_and_one_wins(house: House) -> None:
    code = house.services.passcodes.by_email(ADA)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: redeem(house, code), range(8)))

    assert len([one for one in found if one is not None]) == 1


@pytest.mark.usefixtures("ada")
def test_it_is_over_after_its_time(house: House) -> None:
    code = house.services.passcodes.by_email(ADA)
    house.clock.now += house.services.passcodes.seconds

    assert redeem(house, code) is None


def test_who_was_removed_has_none(house: House, ada: Tenant) -> None:
    code = house.services.passcodes.by_email(ADA)
    with house.services.store.writing() as changes:
        for account in changes.accounts_of(ada.manager.iam_id, 9):
            changes.remove_member(account, ada.manager.iam_id)
        changes.remove_user(ada.manager.iam_id)

    assert redeem(house, code) is None


@pytest.mark.usefixtures("ada")
def test_a_new_one_ends_the_one_before(house: House) -> None:
    passcodes = house.services.passcodes
    old = passcodes.by_password(ADA, PASSWORD, ADDRESS)
    new = passcodes.by_password(ADA, PASSWORD, ADDRESS)

    assert redeem(house, old) is None
    assert redeem(house, new) is not None


@pytest.mark.usefixtures("ada")
def test_guessing_is_counted(house: House) -> None:
    for number in range(house.settings.signin_failures * 10):
        assert redeem(house, f"{number:012}") is None

    with pytest.raises(TooManyFailures):
        redeem(house, house.services.passcodes.by_email(ADA))


def test_nobody_is_added_by_signing_in(house: House) -> None:
    with pytest.raises(PersonUnknown):
        house.services.passcodes.by_email("stranger@example.com")


@given(code=st.text(ALPHABET, min_size=12, max_size=12))
def test_it_may_be_typed_in_many_ways(code: str) -> None:
    for typed in (
        code,
        shown(code),
        shown(code).lower(),
        shown(code).replace("-", " "),
        f" {code} ",
    ):
        assert plain(typed) == code
        assert is_passcode(typed)


@given(text=st.text(max_size=40))
def test_any_text_is_a_passcode_or_none(text: str) -> None:
    assert is_passcode(text) == (len(plain(text)) == 12 and set(plain(text)) <= set(ALPHABET))
