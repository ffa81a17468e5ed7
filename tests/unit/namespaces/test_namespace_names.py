"""The rules for namespace names: one refusal for each, and none that clients could not use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.namespaces import model
from wharfinger_common.names import REPOSITORY
from wharfinger_common.refusals import Refusal

NEAR_NAMES = st.text(alphabet="abz019_-AZ. /é", min_size=0, max_size=34)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("", model.NameTooShort),
        ("abc", model.NameTooShort),
        ("a" * 31, model.NameTooLong),
        ("_team", model.NameFirstCharacter),
        ("-team", model.NameFirstCharacter),
        (".team", model.NameFirstCharacter),
        ("Team", model.NameCharacters),
        ("team.one", model.NameCharacters),
        ("team/one", model.NameCharacters),
        ("team one", model.NameCharacters),
        ("tea\x00m", model.NameCharacters),
        ("équipe", model.NameCharacters),
        ("team٣", model.NameCharacters),
        ("team_", model.NameNotAReference),
        ("team-", model.NameNotAReference),
        ("a___b", model.NameNotAReference),
        ("team_-one", model.NameNotAReference),
        ("details", model.NameReserved),
        ("library", model.NameReserved),
    ],
)
def test_each_broken_rule_has_its_own_refusal(name: str, refusal: type[Refusal]) -> None:
    with pytest.raises(Refusal) as caught:
        model.require_name(name, hyphens=True)
    assert type(caught.value) is refusal
    assert str(caught.value)
    assert caught.value.entry.render_cure(caught.value.facts)


@pytest.mark.parametrize("name", ["team", "a" * 30, "9lives", "a_b_c", "a__b", "a-b--c", "1234"])
def test_names_that_fit_are_taken_as_they_are(name: str) -> None:
    assert model.require_name(name, hyphens=True) == name


def test_hyphens_are_refused_where_they_are_switched_off() -> None:
    with pytest.raises(model.NameHyphen, match="hyphen"):
        model.require_name("team-one", hyphens=False)
    assert model.require_name("team_one", hyphens=False) == "team_one"


def test_every_refusal_of_a_name_has_an_entry_of_its_own() -> None:
    kinds = [
        model.NameTooShort,
        model.NameTooLong,
        model.NameFirstCharacter,
        model.NameCharacters,
        model.NameHyphen,
        model.NameNotAReference,
        model.NameReserved,
    ]
    assert len({kind.entry.code for kind in kinds}) == len(kinds)


@given(NEAR_NAMES, st.booleans())
def test_what_is_accepted_begins_valid_image_names(name: str, hyphens: bool) -> None:
    try:
        model.require_name(name, hyphens=hyphens)
    except Refusal:
        return
    assert REPOSITORY.fullmatch(f"{name}/app")
    assert 4 <= len(name) <= 30
    assert hyphens or "-" not in name


@given(NEAR_NAMES, st.booleans())
def test_the_published_pattern_says_what_the_rule_says(name: str, hyphens: bool) -> None:
    pattern = model.name_pattern(hyphens=hyphens)
    published = bool(re.fullmatch(pattern, name)) and 4 <= len(name) <= 30
    try:
        model.require_name(name, hyphens=hyphens)
    except model.NameReserved:
        accepted = True
    except Refusal:
        accepted = False
    else:
        accepted = True
    assert published == accepted


@pytest.mark.parametrize("group", ["", " ", "a b", "x" * 65, "grüppe", "a\n"])
def test_a_resource_group_of_another_form_is_refused(group: str) -> None:
    with pytest.raises(model.ResourceGroupInvalid):
        model.require_resource_group(group)


def test_a_crn_is_made_only_for_a_namespace_in_a_group() -> None:
    outside = model.Namespace("eu-de", "team", "acc1", 1, 1)
    inside = model.Namespace("eu-de", "team", "acc1", 1, 1, resource_group="g1")
    assert outside.crn == ""
    assert inside.crn == "crn:v1:bluemix:public:container-registry:eu-de:a/acc1::namespace:team"
