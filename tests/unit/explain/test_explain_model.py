"""What is remembered of a refusal, and how it is told again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.explain.model import (
    MAX_FACTS,
    MAX_TEXT,
    Explanation,
    Refused,
    clean,
    frozen,
    frozen_rule,
    named_namespace,
)
from wharfinger.identity import keys
from wharfinger_common.catalogue import web
from wharfinger_common.languages import Language, Text
from wharfinger_common.refusals import Rule

REASON = Text("more than {limit} bytes", limit=2048)


def refused(**more: object) -> Refused:
    facts: dict[str, object] = {
        "request_id": "r1",
        "at": 1_780_000_000,
        "region": "local",
        "method": "GET",
        "path": "/v2/team/app/manifests/latest",
        "names": {"name": "team/app"},
        "code": web.PATH_INVALID.code,
        "facts": json.loads(json.dumps(frozen({"reason": REASON}))),
        "owner": "acc",
    }
    return Refused(**{**facts, **more})  # type: ignore[arg-type] # facts of a dataclass by name


def told(language: Language, *, with_rule: bool = True, **more: object) -> Explanation:
    return Explanation.of(refused(**more), web.PATH_INVALID, language, with_rule=with_rule)


def test_facts_are_translated_when_they_are_told_not_when_they_are_kept() -> None:
    english, chinese = told(Language.ENGLISH), told(Language.CHINESE)

    assert english.message == "The request path is malformed: more than 2048 bytes"
    assert chinese.message == "请求路径格式错误：超过 2048 字节"
    assert chinese.facts == {"reason": "超过 2048 字节"}
    assert english.at == "2026-05-28T20:26:40Z"


def test_rule_and_owner_are_for_the_owner() -> None:
    rule = frozen_rule(Rule("policy", {"roles": "Reader", "limit": 5}, REASON))
    kept = json.loads(json.dumps(rule))

    owner, caller = told(Language.CHINESE, rule=kept), told(Language.CHINESE, with_rule=False)

    assert owner.owner == "acc"
    assert owner.rule is not None
    assert owner.rule.kind == "policy"
    assert owner.rule.values == {"roles": "Reader", "limit": 5}
    assert owner.rule.needed == "超过 2048 字节"
    assert (caller.owner, caller.rule) == ("", None)


@pytest.mark.parametrize(
    ("names", "namespace"),
    [
        ({"name": "team/app"}, "team"),
        ({"name": "team"}, "team"),
        ({"image": "localhost:5000/team/app:1"}, "team"),
        ({"image": "registry.example.com/team/app@sha256:ab"}, "team"),
        ({"image": "localhost/team/app"}, "team"),
        ({"image": "team/app:1"}, "team"),
        ({"id": "5"}, ""),
        ({}, ""),
    ],
)
def test_the_namespace_is_found_in_what_the_path_names(
    names: dict[str, str], namespace: str
) -> None:
    assert named_namespace(names) == namespace


def test_no_rule_is_none() -> None:
    assert frozen_rule(None) is None
    assert told(Language.ENGLISH).rule is None


def test_secrets_are_left_out_wherever_they_stand() -> None:
    key = keys.generate()
    token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"

    for secret in (key, token):
        assert secret not in clean(f"/v2/{secret}/app")
        assert secret not in json.dumps(
            frozen({"value": f"a {secret} b", "text": Text("{it}", it=secret)})
        )
        assert secret not in json.dumps(frozen_rule(Rule("x", {"v": secret}, "needed")))
    assert clean("sha256:" + "ab" * 32) == "sha256:" + "ab" * 32


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.integers(), st.text(), st.binary())))
def test_whatever_the_facts_are_they_are_bounded_and_plain(facts: dict[str, object]) -> None:
    kept = frozen(facts)

    assert len(kept) <= MAX_FACTS
    assert json.loads(json.dumps(kept)) == kept
    assert all(not isinstance(fact, str) or len(fact) <= MAX_TEXT for fact in kept.values())
