"""Choosing the language of a text, and the texts in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger_common.catalogue import web
from wharfinger_common.languages import Language, Text, accepted, of_locale, translate, translated
from wharfinger_common.refusals import Entry

SLOW = Entry(
    code="WHF9999",
    status=400,
    message="It stood still: {reason}",
    meaning="Meaning.",
    causes=("Cause",),
    cure=("Do {this}.", "Then that."),
)


@pytest.mark.parametrize(
    "header",
    [
        "zh",
        "zh-CN",
        "zh-Hans",
        "zh-hans-cn",
        "ZH-sg",
        "zh-CN,zh;q=0.9,en;q=0.8",
        "en;q=0.5, zh;q=0.8",
        "en;q=0,zh;q=0.001",
        "fr, zh;q=0.2",
        "zh-TW,zh;q=0.9",
    ],
)
def test_who_prefers_chinese_gets_it(header: str) -> None:
    assert accepted(header) is Language.CHINESE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "en",
        "en-GB,zh;q=0.9",
        "*",
        "*, zh;q=0.5",
        "fr-CH, fr;q=0.9",
        "zh;q=0",
        "zh-TW",
        "zh-Hant-HK",
        "zh;q=2",
        "zh;q=x",
        "zho",
        " " * 2000 + "zh",
        "en,zh",
    ],
)
def test_everybody_else_gets_english(header: str) -> None:
    assert accepted(header) is Language.ENGLISH


@given(st.text())
def test_no_header_is_too_odd(header: str) -> None:
    assert accepted(header) in Language


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("zh_CN.UTF-8", Language.CHINESE),
        ("zh_SG", Language.CHINESE),
        ("zh", Language.CHINESE),
        ("zh_Hans", Language.CHINESE),
        ("zh_TW.UTF-8", Language.ENGLISH),
        ("en_US.UTF-8", Language.ENGLISH),
        ("de_DE@euro", Language.ENGLISH),
        ("C", Language.ENGLISH),
        ("", Language.ENGLISH),
    ],
)
def test_a_locale_names_the_language(name: str, language: Language) -> None:
    assert of_locale(name) is language


def test_an_entry_speaks_both_languages() -> None:
    english = translate(web.AUTHENTICATION_REQUIRED, Language.ENGLISH, {})
    chinese = translate(web.AUTHENTICATION_REQUIRED, Language.CHINESE, {})

    assert english.message == "authentication required"
    assert chinese.message == "需要认证"


def test_facts_fill_what_has_placeholders() -> None:
    wording = translate(SLOW, Language.ENGLISH, {"reason": "asleep", "this": "wake it"})

    assert wording.message == "It stood still: asleep"
    assert wording.remedy == "Do wake it. Then that."


def test_without_facts_the_placeholders_stay() -> None:
    assert translate(SLOW, Language.CHINESE).message == SLOW.message


def test_a_missing_fact_is_a_defect() -> None:
    with pytest.raises(KeyError):
        translate(SLOW, Language.ENGLISH, {"reason": "asleep"})


def test_a_text_among_the_facts_is_english_by_itself_and_translated_with_its_refusal() -> None:
    fact = Text("authentication required")

    assert f"{fact}" == json.loads(json.dumps(fact)) == "authentication required"
    assert translated("{fact}", Language.CHINESE, {"fact": fact}) == "需要认证"


def test_a_text_fills_its_own_placeholders_in_either_language() -> None:
    fact = Text("no more than {limit}", limit=3)

    assert fact == "no more than 3"
    assert translated("{fact}!", Language.CHINESE, {"fact": fact}) == "no more than 3!"
