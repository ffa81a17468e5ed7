"""Registry tokens: what they grant, where, until when; found by a keyed hash, kept sealed."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from tests.unit.identity.house import REGION, House
from wharfinger.identity import token_form
from wharfinger.identity.model import (
    Caller,
    LimitReached,
    NotFound,
    RegistryTokenUnknown,
    RoleMissing,
    TooManyFailures,
    ValueInvalid,
)
from wharfinger.identity.ports import Page
from wharfinger.identity.service.registry_tokens import LIFE_SECONDS
from wharfinger.identity.tables import credentials, registry_tokens

SCOPE = "repository:team/app:pull,push,delete"
OTHERS = "repository:other/app:pull,push"


def test_a_token_pulls_and_one_for_writing_pushes_in_its_account_only(house: House) -> None:
    tenant = house.tenant("team", "team")
    house.tenant("other", "other")
    tokens = house.services.registry_tokens
    _, reading = tokens.create(tenant.manager)
    _, writing = tokens.create(tenant.manager, "for CI", write=True)

    assert house.registry("token", reading, SCOPE, OTHERS).access == {"team/app": {"pull"}}
    assert house.registry("token", writing, SCOPE).access == {
        "team/app": {"pull", "push", "delete"}
    }
    claims = house.registry("token", reading, SCOPE)
    assert house.services.access.visible_to(claims).accounts == {tenant.account}
    assert not house.services.access.may(claims, REGION, "team/app", "push")
    assert house.services.access.may(claims, REGION, "team/app", "pull")


def test_a_token_counts_in_its_region_only(house: House) -> None:
    tenant = house.tenant("team", "team")
    elsewhere = replace(tenant.manager, region="elsewhere")
    made, secret = house.services.registry_tokens.create(elsewhere)

    with pytest.raises(RegistryTokenUnknown):
        house.registry("token", secret, SCOPE)
    assert house.services.registry_tokens.list(tenant.manager, Page(10)) == []
    with pytest.raises(NotFound):
        house.services.registry_tokens.get(tenant.manager, made.id)
    with pytest.raises(NotFound):
        house.services.registry_tokens.delete(tenant.manager, made.id)


def test_a_token_ends_after_a_day_unless_it_is_to_last(house: House) -> None:
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    short, secret = tokens.create(tenant.manager)
    lasting, forever = tokens.create(tenant.manager, lasting=True)
    assert (short.ends, lasting.ends) == (int(house.clock.now) + LIFE_SECONDS, 0)

    house.clock.now += LIFE_SECONDS - 10
    assert house.registry("token", secret, SCOPE).expires == short.ends
    house.clock.now += 10

    with pytest.raises(RegistryTokenUnknown):
        house.registry("token", secret, SCOPE)
    assert tokens.expire() == 1
    assert tokens.expire() == 0
    assert tokens.list(tenant.manager, Page(10)) == [lasting]
    house.clock.now += 1000 * LIFE_SECONDS
    assert house.registry("token", forever, SCOPE).access["team/app"] == {"pull"}
    with house.database.reading() as connection:
        kept = connection.scalars(select(credentials.c.id).where(credentials.c.id == short.id))
        assert kept.all() == []


def test_a_removed_token_ends_here_at_once_and_elsewhere_within_the_bound(house: House) -> None:
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    made, secret = tokens.create(tenant.manager)
    elsewhere = house.worker()
    claims = house.registry("token", secret, SCOPE)
    assert house.services.tokens.is_current(claims)
    assert elsewhere.tokens.is_current(claims)

    tokens.delete(tenant.manager, made.id)

    assert not house.services.tokens.is_current(claims)
    house.clock.now += house.settings.revocation_seconds
    assert not elsewhere.tokens.is_current(claims)
    with pytest.raises(RegistryTokenUnknown):
        house.registry("token", secret, SCOPE)


def test_a_token_is_listed_without_its_secret_and_shown_again_with_it(house: House) -> None:
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    made = [tokens.create(tenant.manager, f"number {number}")[0] for number in range(3)]
    kept, secret = tokens.create(tenant.manager, "shown")

    first = tokens.list(tenant.manager, Page(2))
    rest = tokens.list(tenant.manager, Page(10, first[-1].id))
    assert {token.id for token in (*first, *rest)} == {kept.id, *(one.id for one in made)}
    assert tokens.get(tenant.manager, kept.id) == (kept, secret)


def test_nothing_in_the_database_tells_the_secret(house: House) -> None:
    tenant = house.tenant("team", "team")
    _, secret = house.services.registry_tokens.create(tenant.manager)

    content = b"".join(
        file.read_bytes() for file in Path(house.path.parent).iterdir() if file.is_file()
    )
    assert secret.encode() not in content
    assert secret.rpartition(".")[2].encode() not in content
    with house.database.reading() as connection:
        row = connection.execute(select(registry_tokens)).one()
    assert row.secret_hmac != token_form.LookUp(bytes(32)).hash(secret)


def test_the_middle_part_tells_the_id_as_published_clients_read_it(house: House) -> None:
    tenant = house.tenant("team", "team")
    made, secret = house.services.registry_tokens.create(tenant.manager)

    _, middle, _ = secret.split(".")
    told = json.loads(base64.b64decode(middle + "=" * (-len(middle) % 4), validate=True))

    assert told == {"jti": made.id, "exp": made.ends}


@pytest.mark.parametrize(
    "wrong", ["", "token", "whr.e30.x", "whr.e30." + "a" * 46, "whr." * 200, "\u00fc"]
)
def test_what_has_not_the_form_is_no_token(house: House, wrong: str) -> None:
    house.tenant("team", "team")

    assert not token_form.well_formed(wrong)
    with pytest.raises(RegistryTokenUnknown):
        house.registry("token", wrong, SCOPE)


def test_guessing_is_slowed_down(house: House) -> None:
    house.tenant("team", "team")
    wrong = token_form.generate("RegistryToken-x", 0)
    for _ in range(house.settings.signin_failures):
        with pytest.raises(RegistryTokenUnknown):
            house.registry("token", wrong, SCOPE)

    with pytest.raises(TooManyFailures):
        house.registry("token", wrong, SCOPE)


def test_only_managers_have_to_do_with_tokens(house: House) -> None:
    tenant = house.tenant("team", "team")
    administration, tokens = house.services.administration, house.services.registry_tokens
    made, _ = tokens.create(tenant.manager)
    for role in ("Reader", "Writer"):
        member = administration.operator_add_user(tenant.account, f"{role}@x.org", None, role)
        caller = Caller(member.iam_id, tenant.account, "", region=REGION)
        with pytest.raises(RoleMissing):
            tokens.create(caller)
        with pytest.raises(RoleMissing):
            tokens.list(caller, Page(1))
        with pytest.raises(RoleMissing):
            tokens.get(caller, made.id)
        with pytest.raises(RoleMissing):
            tokens.delete(caller, made.id)
        with pytest.raises(RoleMissing):
            tokens.delete_described(caller, "")


def test_another_account_sees_nothing_of_a_token(house: House) -> None:
    owner, other = house.tenant("team", "team"), house.tenant("other", "other")
    tokens = house.services.registry_tokens
    made, secret = tokens.create(owner.manager, "mine")

    assert tokens.list(other.manager, Page(10)) == []
    with pytest.raises(NotFound):
        tokens.get(other.manager, made.id)
    with pytest.raises(NotFound):
        tokens.delete(other.manager, made.id)
    assert tokens.delete_described(other.manager, "mine") == 0
    assert house.registry("token", secret, SCOPE).access["team/app"] == {"pull"}


def test_tokens_of_one_description_go_together(house: House) -> None:
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    for description in ("old", "old", "new"):
        tokens.create(tenant.manager, description)

    assert tokens.delete_described(tenant.manager, "old") == 2
    assert [one.description for one in tokens.list(tenant.manager, Page(10))] == ["new"]


def test_tokens_are_bounded_and_described_in_plain_words(tmp_path: Path) -> None:
    house = House(tmp_path, identities_per_account=10)
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    with pytest.raises(ValueInvalid):
        tokens.create(tenant.manager, "control\x07character")
    for _ in range(10):
        tokens.create(tenant.manager)
    with pytest.raises(LimitReached):
        tokens.create(tenant.manager)
    house.close()


def test_every_change_is_audited(house: House) -> None:
    tenant = house.tenant("team", "team")
    tokens = house.services.registry_tokens
    made, secret = tokens.create(tenant.manager, "audited")
    ended, _ = tokens.create(tenant.manager)
    tokens.delete(tenant.manager, made.id)
    house.clock.now += LIFE_SECONDS
    tokens.expire()

    rows = house.audit.page(tenant.manager, None, 10)
    told = [(row.action, row.target) for row in rows if row.action.startswith("token.")]
    assert told == [
        ("token.end", ended.id),
        ("token.delete", made.id),
        ("token.create", ended.id),
        ("token.create", made.id),
    ]
    assert secret not in str(rows)
