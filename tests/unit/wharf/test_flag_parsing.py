"""Flags: one dash or two, ``=`` or a space, before or after arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.declaration import Command, Flag
from wharf.parsing import UsageWrong, parse

COMMAND = Command(
    "x",
    "",
    "m:f",
    most=None,
    flags=(
        Flag("name", kind="text", short="n"),
        Flag("many", kind="list"),
        Flag("count", kind="number"),
        Flag("force", short="f"),
        Flag("form", kind="choice", choices=("text", "json")),
    ),
)
# Values that are no words of ours: whatever stands behind a flag is its value.
VALUES = st.text(min_size=1).filter(lambda text: "\x00" not in text)
WORDS = st.text(alphabet="abcxyz0123-_./:", min_size=1).filter(
    lambda text: not text.startswith("-")
)


@given(value=VALUES, words=st.lists(WORDS), place=st.integers(0, 5), form=st.integers(0, 3))
def test_a_flag_is_the_same_wherever_and_however(
    value: str, words: list[str], place: int, form: int
) -> None:
    spelled = [["--name", value], ["-name", value], [f"--name={value}"], [f"-n={value}"]][form]
    at = min(place, len(words))

    call = parse([*words[:at], *spelled, *words[at:]], COMMAND)

    assert call.text("name") == value
    assert list(call.arguments) == words


@given(words=st.lists(st.text()))
def test_two_dashes_end_the_flags(words: list[str]) -> None:
    call = parse(["-f", "--", *words], COMMAND)

    assert list(call.arguments) == words
    assert call.on("force")


@given(words=st.lists(st.text()))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    try:
        call = parse(words, COMMAND)
    except UsageWrong:
        return
    assert len(call.arguments) <= len(words)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-name"], "flag needs an argument: -{name}"),
        (["--nothing"], "flag provided but not defined: -{name}"),
        (["-"], None),
        (["--count", "x"], "invalid value '{value}' for flag -{name}: not a number"),
        (["--force=maybe"], "invalid boolean value '{value}' for flag -{name}"),
        (["--form", "yaml"], "invalid value '{value}' for flag -{name}: it is one of {allowed}"),
        (["---force"], "flag provided but not defined: -{name}"),
    ],
)
def test_what_is_wrong_is_named(words: list[str], reason: str | None) -> None:
    if reason is None:
        assert parse(words, COMMAND).arguments == tuple(words)
        return
    with pytest.raises(UsageWrong) as wrong:
        parse(words, COMMAND)
    assert wrong.value.reason == reason


@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_number_of_arguments_is_held(count: int) -> None:
    command = Command("x", "", "m:f", least=2, most=3)

    with pytest.raises(UsageWrong):
        parse(["a"] * count, command)
    assert parse(["--help"], command).on("help")


def test_values_are_of_their_kind() -> None:
    call = parse(["--count", "-3", "--many", "a", "--many=b", "--force=false"], COMMAND)

    assert (call.number("count"), call.many("many"), call.on("force")) == (-3, ["a", "b"], False)
    assert call.given("force")
    assert call.number("name") is None
    assert call.text("form", "text") == "text"
