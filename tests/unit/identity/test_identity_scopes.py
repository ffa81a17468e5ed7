"""Scopes of registry token requests, as the Docker token documentation writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.identity.model import ScopeInvalid, ScopesTooMany
from wharfinger.identity.scopes import Scope, parse, parse_one, render

ACTIONS = st.lists(st.sampled_from(["pull", "push", "delete", "*"]), min_size=1, unique=True)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_./:", min_size=1, max_size=40)


@given(WORD, ACTIONS)
def test_everything_between_first_and_last_colon_is_the_name(name: str, actions: list[str]) -> None:
    scope = parse_one(f"repository:{name}:{','.join(actions)}")
    assert scope == Scope("repository", name, tuple(actions))


@given(WORD, ACTIONS)
def test_a_scope_prints_as_it_was_written(name: str, actions: list[str]) -> None:
    text = f"repository(plugin):{name}:{','.join(actions)}"
    assert str(parse_one(text)) == text


@given(st.text(max_size=60))
def test_any_text_is_a_scope_or_is_refused_as_one(text: str) -> None:
    try:
        scope = parse_one(text)
    except ScopeInvalid:
        return
    assert scope.name
    assert text.startswith(scope.type)


@given(st.lists(st.tuples(st.sampled_from(["a/b", "a/c"]), ACTIONS), max_size=8), st.booleans())
def test_repeated_and_space_separated_scopes_mean_the_same(
    asked: list[tuple[str, list[str]]], joined: bool
) -> None:
    texts = [f"repository:{name}:{','.join(actions)}" for name, actions in asked]
    scopes = parse([" ".join(texts)] if joined else texts, 100)
    wanted: dict[str, set[str]] = {}
    for name, actions in asked:
        wanted.setdefault(name, set()).update(actions)
    assert {scope.name: set(scope.actions) for scope in scopes} == wanted


def test_a_name_with_host_and_port_is_kept_whole_and_is_no_repository_of_ours() -> None:
    scope = parse_one("repository:registry.example:5000/team/app:pull")
    assert scope.name == "registry.example:5000/team/app"
    assert scope.repository is None


@pytest.mark.parametrize("text", ["repository", "repository:pull", "repository::pull", ":a:pull"])
def test_a_scope_without_type_name_or_actions_is_refused(text: str) -> None:
    with pytest.raises(ScopeInvalid):
        parse([text], 10)


def test_more_scopes_than_allowed_are_refused_however_they_are_packed() -> None:
    with pytest.raises(ScopesTooMany):
        parse(["repository:a/b:pull repository:a/c:pull", "repository:a/d:pull"], 2)


def test_empty_scopes_are_none() -> None:
    assert parse(["", "  "], 1) == []


@pytest.mark.parametrize(
    ("asked", "allowed", "granted"),
    [
        ("pull,push", {"pull"}, ("pull",)),
        ("pull,push", {"pull", "push", "delete"}, ("pull", "push")),
        ("*", {"pull"}, ("pull",)),
        ("*", {"pull", "push", "delete"}, ("*", "delete", "pull", "push")),
        ("pull", set(), ()),
        ("fly", {"pull", "push", "delete"}, ()),
    ],
)
def test_granting(asked: str, allowed: set[str], granted: tuple[str, ...]) -> None:
    assert parse_one(f"repository:a/b:{asked}").granting(allowed) == granted


def test_the_access_claim_leaves_out_what_grants_nothing() -> None:
    plugin = parse_one("repository(plugin):a/b:pull")
    nothing = parse_one("repository:a/c:pull")
    assert render({plugin: ("pull",), nothing: ()}) == [
        {"type": "repository", "class": "plugin", "name": "a/b", "actions": ["pull"]}
    ]
