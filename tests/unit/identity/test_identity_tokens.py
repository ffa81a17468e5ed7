"""Tokens: what is verified, how keys rotate, and how fast a revocation is seen."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from tests.unit.identity.house import House
from wharfinger.identity.model import (
    Claims,
    Credential,
    CredentialKind,
    TokenExpired,
    TokenInvalid,
    TokenType,
)
from wharfinger.identity.ports import Page
from wharfinger.identity.service.keyring import OVERLAP_SECONDS
from wharfinger.identity.service.tokens import LEEWAY_SECONDS
from wharfinger.identity.services import IdentityServices

DAY = 86_400
WHO = Credential("cred-1", "user-1", CredentialKind.PASSWORD, 3)


def issue(services: IdentityServices, typ: TokenType = TokenType.IAM, lifetime: int = 60) -> str:
    token, _, _ = services.tokens.issue(
        typ, WHO, audience="iam", lifetime=lifetime, account="acc", access=()
    )
    return token


def header(token: str) -> dict[str, str]:
    part = token.partition(".")[0]
    decoded: dict[str, str] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return decoded


def verify(services: IdentityServices, token: str) -> Claims:
    return services.tokens.verify(token, TokenType.IAM, "iam")


def test_a_token_says_what_clients_read(house: House) -> None:
    token = issue(house.services)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    now = int(house.clock.now)
    assert claims["iat"] == now
    assert claims["exp"] == now + 60
    assert claims["iam_id"] == claims["sub"] == claims["id"] == "user-1"
    assert claims["account"] == {"bss": "acc"}
    assert claims["scope"] == "ibm openid"
    verified = verify(house.services, token)
    assert (verified.credential, verified.epoch, verified.account) == ("cred-1", 3, "acc")


def test_a_token_ends_with_its_time_also_when_it_was_verified_before(house: House) -> None:
    token = issue(house.services, lifetime=60)
    house.clock.now += 60 + LEEWAY_SECONDS
    verify(house.services, token)
    house.clock.now += 1
    with pytest.raises(TokenExpired):
        verify(house.services, token)
    with pytest.raises(TokenExpired):
        verify(house.worker(), token)


def test_a_token_does_not_outlive_its_credential_and_tells_its_end(house: House) -> None:
    now = int(house.clock.now)

    def issued(ends: int) -> Claims:
        token, _, expires = house.services.tokens.issue(
            TokenType.IAM, replace(WHO, ends=ends), audience="iam", lifetime=60, account="acc"
        )
        claims = verify(house.services, token)
        assert claims.expires == expires
        return claims

    soon, late, never = issued(now + 20), issued(now + 900), issued(0)
    assert (soon.expires, soon.ends) == (now + 20, now + 20)
    assert (late.expires, late.ends) == (now + 60, now + 900)
    assert (never.expires, never.ends) == (now + 60, 0)


@pytest.mark.parametrize(
    ("typ", "audience"), [(TokenType.REGISTRY, "iam"), (TokenType.IAM, "registry")]
)
def test_a_token_is_for_one_surface(house: House, typ: TokenType, audience: str) -> None:
    token = issue(house.services)
    with pytest.raises(TokenInvalid):
        house.services.tokens.verify(token, typ, audience)
    verify(house.services, token)
    with pytest.raises(TokenInvalid):
        house.services.tokens.verify(token, typ, audience)


def test_a_token_of_another_region_is_refused(house: House) -> None:
    token = issue(house.worker(region="elsewhere"))
    with pytest.raises(TokenInvalid):
        verify(house.services, token)


def _unsigned(token: str) -> str:
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{none}.{token.split('.')[1]}."


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.b.c.d", "....", "é.é.é", "e30.e30.e30"])
def test_what_is_no_token_is_refused(house: House, token: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(house.services, token)


def test_a_token_that_was_changed_is_refused(house: House) -> None:
    token = issue(house.services)
    head, _, signature = token.split(".")
    other = issue(house.services).split(".")[1]
    for forged in (f"{head}.{other}.{signature}", _unsigned(token), token[:-4] + "AAAA"):
        with pytest.raises(TokenInvalid):
            verify(house.services, forged)


def test_a_rotation_signs_nobody_out(house: House) -> None:
    old = issue(house.services, lifetime=30 * DAY)
    house.clock.now += house.settings.signing_key_days * DAY - OVERLAP_SECONDS - 1
    kept = issue(house.services, lifetime=30 * DAY)
    assert header(kept)["kid"] == header(old)["kid"]

    house.clock.now += 61
    assert header(issue(house.services))["kid"] == header(old)["kid"], "published, not signing yet"
    published = [key["kid"] for key in house.services.tokens.jwks()["keys"]]
    assert len(published) == 2
    assert all("d" not in key for key in house.services.tokens.jwks()["keys"])

    house.clock.now += OVERLAP_SECONDS + 61
    new = issue(house.services)
    assert header(new)["kid"] == published[0] != header(old)["kid"]
    assert verify(house.worker(), kept).subject == "user-1"

    house.clock.now += 29 * DAY
    assert verify(house.worker(), kept).subject == "user-1"
    house.clock.now += 2 * DAY
    issue(house.services)
    assert [key["kid"] for key in house.services.tokens.jwks()["keys"]] == [published[0]]


def test_a_shorter_setting_does_not_end_tokens_issued_under_a_longer_one(house: House) -> None:
    long = house.worker(refresh_token_seconds=300 * DAY)
    token = issue(long, lifetime=300 * DAY)
    short = house.worker(refresh_token_seconds=DAY)
    for _ in range(3):
        house.clock.now += 91 * DAY
        issue(short)
    assert verify(short, token).subject == "user-1"


def test_workers_that_rotate_at_once_make_one_key(house: House) -> None:
    workers = [house.worker() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        tokens = list(pool.map(issue, workers))
    assert len({header(token)["kid"] for token in tokens}) == 1
    for worker in workers:
        for token in tokens:
            verify(worker, token)


def test_a_worker_learns_of_new_keys_from_the_tokens_they_signed(house: House) -> None:
    reader = house.worker()
    verify(reader, issue(house.services))
    house.clock.now += 91 * DAY
    issue(house.services)
    house.clock.now += OVERLAP_SECONDS + 61
    verify(reader, issue(house.services))


def test_private_keys_are_not_in_the_database_in_plain(house: House) -> None:
    issue(house.services)
    with house.services.store.reading() as records:
        (key,) = records.signing_keys()
    assert b'"d"' not in key.private_key
    assert "d" not in json.loads(key.public_jwk)


def test_revoking_a_key_is_seen_at_once_here_and_within_the_bound_elsewhere(house: House) -> None:
    tenant = house.tenant("one")
    claims = house.iam("urn:ibm:params:oauth:grant-type:apikey", apikey=tenant.api_key)
    other = house.worker()
    assert not other.tokens.remembers_current(claims)
    assert other.tokens.is_current(claims)
    assert other.tokens.remembers_current(claims)
    assert house.services.tokens.is_current(claims)
    house.services.api_keys.delete(tenant.manager, claims.credential)
    assert not house.services.tokens.remembers_current(claims)
    assert not house.services.tokens.is_current(claims)
    house.clock.now += house.settings.revocation_seconds
    assert not other.tokens.remembers_current(claims)
    assert not other.tokens.is_current(claims)


def test_taking_a_role_away_ends_registry_tokens_but_no_sign_in(house: House) -> None:
    tenant = house.tenant("one", "team")
    member = house.services.people.add_user(tenant.manager, "r@example.com", None, "Reader")
    _, secret = house.services.api_keys.create(tenant.manager, "k", iam_id=member.iam_id)
    registry = house.registry("iamapikey", secret, "repository:team/app:pull")
    iam = house.iam("urn:ibm:params:oauth:grant-type:apikey", apikey=secret)
    assert registry.grants("team/app", "pull")
    (policy,) = house.services.policies.list(tenant.manager, Page(9), member.iam_id)
    house.services.policies.delete(tenant.manager, policy.id)
    assert not house.services.tokens.is_current(registry)
    assert house.services.tokens.is_current(iam)
    again = house.registry("iamapikey", secret, "repository:team/app:pull")
    assert not again.grants("team/app", "pull")
    assert house.services.tokens.is_current(again)
