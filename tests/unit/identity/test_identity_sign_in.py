"""Signing in: every grant, every user name, accounts, and what guessing costs."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.unit.identity.house import ADDRESS, PASSWORD, REGION, House
from wharfinger.identity import keys
from wharfinger.identity.model import (
    ApiKeyUnknown,
    CredentialsWrong,
    GrantUnsupported,
    NotInAccount,
    PasscodeInvalid,
    PropertyMissing,
    RefreshExpired,
    RefreshInvalid,
    RegistryTokenUnknown,
    ServiceUnknown,
    SignInBusy,
    TooManyFailures,
)
from wharfinger.identity.passwords import Passwords
from wharfinger.identity.service.registry_sign_in import TokenRequest
from wharfinger.identity.service.sign_in import IamToken
from wharfinger.identity.service.throttle import (
    ADDRESS_FACTOR,
    SUBJECT_FACTOR,
    address_key,
)
from wharfinger.identity.tables import api_keys, signin_failures

API_KEY = "urn:ibm:params:oauth:grant-type:apikey"
PULL = "repository:team/app:pull"


def exchange(
    house: House, address: str = ADDRESS, *, with_refresh: bool = True, **form: Any
) -> IamToken:
    return house.services.sign_in.exchange(form, address, with_refresh=with_refresh)


def rows(house: House) -> int:
    with house.database.reading() as connection:
        return len(connection.execute(select(signin_failures)).all())


def test_an_api_key_gives_a_token_bound_to_its_account(house: House) -> None:
    tenant = house.tenant("one")
    claims = house.iam(API_KEY, apikey=tenant.api_key)
    assert (claims.account, claims.subject) == (tenant.account, tenant.manager.iam_id)
    assert house.iam(API_KEY, apikey=tenant.api_key, bss_account=tenant.account) == claims
    with pytest.raises(NotInAccount):
        house.iam(API_KEY, apikey=tenant.api_key, bss_account=house.tenant("two").account)


def test_a_password_acts_in_the_account_that_is_asked_for(house: House) -> None:
    one, two, three = (house.tenant(name) for name in ("one", "two", "three"))
    form: dict[str, Any] = {"username": " One@Example.com", "password": PASSWORD}
    assert house.iam("password", **form).account == one.account
    house.services.people.add_user(two.manager, "one@example.com", "another password", "Reader")
    assert house.iam("password", **form).account == ""
    assert house.iam("password", bss_account=two.account, **form).account == two.account
    assert house.iam("password", account=one.account, **form).account == one.account
    with pytest.raises(NotInAccount):
        house.iam("password", account=three.account, **form)
    with pytest.raises(CredentialsWrong):
        house.iam("password", username="one@example.com", password="another password")


def test_a_refresh_token_continues_until_it_ends(house: House) -> None:
    tenant = house.tenant("one")
    first = exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    again = exchange(house, grant_type="refresh_token", refresh_token=first.refresh_token)
    assert again.expires == int(house.clock.now) + house.settings.iam_token_seconds
    with pytest.raises(RefreshInvalid):
        exchange(house, grant_type="refresh_token", refresh_token=first.access_token)
    house.clock.now += house.settings.refresh_token_seconds + 2
    with pytest.raises(RefreshExpired):
        exchange(house, grant_type="refresh_token", refresh_token=first.refresh_token)


def test_a_refresh_token_ends_with_its_api_key(house: House) -> None:
    tenant = house.tenant("one")
    token = exchange(house, grant_type=API_KEY, apikey=tenant.api_key).refresh_token
    credential = house.iam(API_KEY, apikey=tenant.api_key).credential
    house.services.api_keys.delete(tenant.manager, credential)
    with pytest.raises(RefreshInvalid):
        exchange(house, grant_type="refresh_token", refresh_token=token)


def test_only_an_authenticated_client_gets_a_refresh_token(house: House) -> None:
    tenant = house.tenant("one")
    token = exchange(house, with_refresh=False, grant_type=API_KEY, apikey=tenant.api_key)
    assert token.refresh_token == "not_supported"


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({}, PropertyMissing),
        ({"grant_type": API_KEY}, PropertyMissing),
        ({"grant_type": API_KEY, "apikey": ""}, PropertyMissing),
        ({"grant_type": "password", "username": "a@b"}, PropertyMissing),
        ({"grant_type": "implicit"}, GrantUnsupported),
        (
            {"grant_type": "urn:ibm:params:oauth:grant-type:passcode", "passcode": "x"},
            PasscodeInvalid,
        ),
        ({"grant_type": API_KEY, "apikey": "nonsense"}, ApiKeyUnknown),
        ({"grant_type": API_KEY, "apikey": keys.generate(lambda _: 5)}, ApiKeyUnknown),
        ({"grant_type": "password", "username": "a@b", "password": "x"}, CredentialsWrong),
    ],
)
def test_refused_exchanges(house: House, form: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        exchange(house, **form)


def test_registry_user_names(house: House) -> None:
    tenant = house.tenant("one", "team")
    iam = exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    for user, password in (
        ("iamapikey", tenant.api_key),
        ("iambearer", iam.access_token),
        ("iamrefresh", iam.refresh_token),
        ("one@example.com", PASSWORD),
    ):
        assert house.registry(user, password, PULL).grants("team/app", "pull"), user


@pytest.mark.parametrize(
    "user", ["iamapikey", "iambearer", "iamrefresh", "one@example.com", "", "x"]
)
@pytest.mark.parametrize("password", ["", "wrong", keys.generate(lambda _: 1)])
def test_wrong_registry_credentials(house: House, user: str, password: str) -> None:
    house.tenant("one")
    with pytest.raises(CredentialsWrong):
        house.registry(user, password, PULL)


def test_a_secret_counts_only_under_its_user_name(house: House) -> None:
    tenant = house.tenant("one")
    iam = exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    for user, password in (
        ("iamapikey", iam.access_token),
        ("iambearer", iam.refresh_token),
        ("iamrefresh", iam.access_token),
        ("iambearer", tenant.api_key),
    ):
        with pytest.raises(CredentialsWrong):
            house.registry(user, password)
    with pytest.raises(RegistryTokenUnknown):
        house.registry("token", tenant.api_key)


def test_anonymous_gets_what_is_public_and_nothing_else(house: House) -> None:
    tenant = house.tenant("one", "team")
    nothing = house.registry(None, "", PULL)
    assert nothing.anonymous
    assert nothing.access == {}
    house.services.policies.create(tenant.manager, "anonymous", "Reader", "team")
    claims = house.registry(None, "", "repository:team/app:pull,push,*")
    assert claims.access == {"team/app": frozenset({"pull"})}
    assert house.services.tokens.is_current(claims)


def test_making_a_namespace_private_ends_anonymous_tokens(house: House) -> None:
    tenant = house.tenant("one", "team")
    policy = house.services.policies.create(tenant.manager, "anonymous", "Reader", "team")
    claims = house.registry(None, "", PULL)
    house.services.policies.delete(tenant.manager, policy.id)
    assert not house.services.tokens.is_current(claims)
    assert house.registry(None, "", PULL).access == {}


def test_the_catalogue_scope(house: House) -> None:
    assert house.registry(None, "", "registry:catalog:*").catalog
    assert not house.registry(None, "", "registry:other:*").catalog


def test_an_offline_client_comes_back_with_its_refresh_token(house: House) -> None:
    tenant = house.tenant("one", "team")
    asked = TokenRequest("registry", REGION, (PULL,), "iamapikey", tenant.api_key, offline=True)
    refresh = house.services.registry_sign_in.issue(asked).refresh_token
    assert refresh
    assert house.registry(None, "", PULL, refresh_token=refresh).grants("team/app", "pull")
    for service in ("registry", "notary"):
        back = TokenRequest(service, REGION, (PULL,), refresh_token=refresh)
        assert house.services.registry_sign_in.issue(back).scope == PULL
    with pytest.raises(RefreshInvalid):
        exchange(house, grant_type="refresh_token", refresh_token=refresh)
    iam = exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    with pytest.raises(CredentialsWrong):
        house.registry(None, "", PULL, refresh_token=iam.refresh_token)


@pytest.mark.parametrize("user", ["iambearer", None])
def test_what_is_short_lived_or_nobody_gets_no_refresh_token(
    house: House, user: str | None
) -> None:
    tenant = house.tenant("one")
    iam = exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    asked = TokenRequest("registry", REGION, (), user, iam.access_token, offline=True)
    assert house.services.registry_sign_in.issue(asked).refresh_token is None


def test_an_unknown_service_is_refused(house: House) -> None:
    with pytest.raises(ServiceUnknown):
        house.services.registry_sign_in.issue(TokenRequest("elsewhere", REGION))


WRONG: dict[str, Any] = {
    "grant_type": "password",
    "username": "one@example.com",
    "password": "wrong",
}
RIGHT: dict[str, Any] = {**WRONG, "password": PASSWORD}


def test_guessing_a_password_is_slowed_down_in_every_worker_and_forgotten_in_time(
    house: House,
) -> None:
    house.tenant("one")
    for _ in range(house.settings.signin_failures):
        with pytest.raises(CredentialsWrong):
            exchange(house, **WRONG)
    worker = house.worker()
    with pytest.raises(TooManyFailures) as refusal:
        worker.sign_in.exchange(RIGHT, ADDRESS, with_refresh=False)
    assert (
        1 <= int(refusal.value.headers["Retry-After"]) <= house.settings.signin_window_seconds + 1
    )
    house.clock.now += house.settings.signin_window_seconds
    exchange(house, **RIGHT)


def test_a_stranger_cannot_keep_somebody_else_out(house: House) -> None:
    house.tenant("one")
    refused = 0
    for _ in range(house.settings.signin_failures * ADDRESS_FACTOR * 2):
        try:
            exchange(house, address="198.51.100.66", **WRONG)
        except CredentialsWrong:
            pass
        except TooManyFailures:
            refused += 1
    assert refused
    exchange(house, **RIGHT)


def test_guessing_from_many_addresses_is_slowed_down_for_everybody(house: House) -> None:
    house.tenant("one")
    for attempt in range(house.settings.signin_failures * SUBJECT_FACTOR):
        with pytest.raises(CredentialsWrong):
            exchange(house, address=f"198.51.{attempt // 200}.{attempt % 200}", **WRONG)
    with pytest.raises(TooManyFailures):
        exchange(house, **WRONG)


def test_an_address_that_tries_many_keys_is_slowed_down_and_the_right_one_is_let_in(
    house: House,
) -> None:
    """Behind one address there may be a whole company: it signs in though one script goes wrong."""
    tenant = house.tenant("one", "team")
    token = house.services.registry_tokens.create(tenant.manager)[1]
    for _ in range(house.settings.signin_failures * ADDRESS_FACTOR):
        with pytest.raises(ApiKeyUnknown):
            exchange(house, grant_type=API_KEY, apikey=keys.generate())
    with pytest.raises(TooManyFailures):
        exchange(house, grant_type=API_KEY, apikey=keys.generate())
    with pytest.raises(TooManyFailures):
        exchange(house, **RIGHT)
    exchange(house, grant_type=API_KEY, apikey=tenant.api_key)
    house.registry("iamapikey", tenant.api_key, PULL)
    house.registry("token", token, PULL)
    exchange(house, address="198.51.100.1", grant_type=API_KEY, apikey=tenant.api_key)


def test_a_success_forgets_the_subjects_failures(house: House) -> None:
    house.tenant("one")
    form: dict[str, Any] = {"grant_type": "password", "username": "one@example.com"}
    for _ in range(2):
        for _ in range(house.settings.signin_failures - 1):
            with pytest.raises(CredentialsWrong):
                exchange(house, **form, password="wrong")
        exchange(house, **form, password=PASSWORD)
    assert rows(house) == 2, "only the counts of the address and of all addresses are left"


def test_signing_in_writes_nothing(house: House) -> None:
    tenant = house.tenant("one", "team")
    house.registry("iamapikey", tenant.api_key)
    before = house.path.with_name(house.path.name + "-wal").read_bytes()
    house.registry("iamapikey", tenant.api_key, PULL)
    house.iam("password", username="one@example.com", password=PASSWORD)
    assert house.path.with_name(house.path.name + "-wal").read_bytes() == before


def test_ipv6_addresses_count_with_their_network() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:1")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("192.0.2.1") != address_key("192.0.2.2")


def test_last_use_is_written_in_batches(house: House) -> None:
    tenant = house.tenant("one")
    used = int(house.clock.now)
    credential = house.iam(API_KEY, apikey=tenant.api_key).credential

    def written() -> int | None:
        with house.database.reading() as connection:
            query = select(api_keys.c.last_used_at).where(api_keys.c.id == credential)
            found: int | None = connection.execute(query).scalar_one()
        return found

    assert written() is None
    house.services.last_use.flush()
    assert written() == used
    house.clock.now += 31
    house.iam(API_KEY, apikey=tenant.api_key)
    assert written() == used + 31


def test_passwords_are_bounded_in_number_at_once(house: House) -> None:
    passwords = Passwords(1, 12)
    hashed = passwords.hash(PASSWORD)
    assert passwords.matches(PASSWORD, hashed)
    assert not passwords.matches("other", hashed)
    assert not passwords.matches("decoy", None)
    for _ in range(5):
        passwords._admitted.acquire()
    with pytest.raises(SignInBusy):
        passwords.matches(PASSWORD, hashed)


def test_secrets_do_not_show_when_a_request_is_printed() -> None:
    request = TokenRequest(
        "registry", REGION, username="u", password="hunter2", refresh_token="r3fresh"
    )
    assert "hunter2" not in repr(request)
    assert "r3fresh" not in repr(replace(request, offline=True))
