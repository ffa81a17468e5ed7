"""Tables as the original's, and the choice of a locale."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.screen import Screen, width
from wharf.words import canonical, choose

CELLS = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=12)


def written(headers: list[str], rows: list[list[str]]) -> list[str]:
    out = io.StringIO()
    Screen(out, out).table(headers, rows)
    return out.getvalue().splitlines()


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_every_line_is_as_wide_and_ends_in_three_blanks(rows: list[list[str]]) -> None:
    lines = written(["One", "Two", "Three"], rows)

    assert len(lines) == len(rows) + 1
    assert len({width(line) for line in lines}) == 1
    assert all(line.endswith("   ") for line in lines)


def test_wide_characters_count_two() -> None:
    assert written(["Name", "X"], [["名称空间", "1"]]) == ["Name       X   ", "名称空间   1   "]


def test_the_first_line_of_pairs_is_blank() -> None:
    out = io.StringIO()
    Screen(out, out).pairs({"Container Registry": "registry.example", "Other": "x"})

    assert out.getvalue().splitlines() == [
        f"{'':18}   {'':16}   ",
        "Container Registry   registry.example   ",
        "Other                x                  ",
    ]


def test_a_cell_cannot_move_the_cursor() -> None:
    assert "\x1b" not in "".join(written(["A"], [["\x1b[2Jx\ny"]]))


@pytest.mark.parametrize(
    ("config", "environ", "locale"),
    [
        ("", {}, "en_US"),
        ("", {"LANG": "C.UTF-8"}, "en_US"),
        ("", {"LANG": "POSIX"}, "en_US"),
        ("", {"LANG": "zh_CN.UTF-8"}, "zh_Hans"),
        ("", {"LANG": "zh_SG"}, "zh_Hans"),
        ("", {"LANG": "zh_HK.UTF-8"}, "zh_Hant"),
        ("", {"LANG": "zh_TW@stroke"}, "zh_Hant"),
        ("", {"LANG": "de_DE.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh_Hans"),
        ("", {"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "fr_FR"}, "fr_FR"),
        ("zh_Hans", {"LANG": "de_DE"}, "zh_Hans"),
        ("de_DE", {"LANG": "zh_CN"}, "de_DE"),
    ],
)
def test_the_locale_is_configured_or_the_systems(
    config: str, environ: dict[str, str], locale: str
) -> None:
    assert choose(config, environ) == locale


@pytest.mark.parametrize("name", ["", "C", "posix", "12", "../x", "?"])
def test_what_is_no_locale(name: str) -> None:
    assert canonical(name) == ""
