"""Go templates: what Go's own text/template made of the same values, and what holds for any.

``golden.json`` holds templates with what Go 1.26 printed, null where it gave an error.
"""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf_container_registry.templates import Limits, Struct, TemplateWrong, Value, render

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
VALUE: Value = {
    "Repository": "us.icr.io/ns/a",
    "Size": 123456,
    "Tag": "1",
    "F": 3.5,
    "Big": 1e22,
    "Sm": 0.00001,
    "Mid": 1234567.0,
    "T": True,
    "N": None,
    "SecurityStatus": Struct(Status="No Issues", IssueCount=0, ExemptionCount=2),
    "Config": {
        "Env": ["A=1", "B=2"],
        "Labels": {"z": "1", "a": "2"},
        "Empty": [],
        "Nested": {"k": None, "l": [1, "x", None, 2.5]},
    },
}
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
ACTIONS = "{{ }} if range with else end .A . $ $x := eq len index printf 1 | ( ) break nil /* */ -"
words = st.sampled_from(["{{- ", " -}}", " ", '"%d"', *ACTIONS.split()])


@pytest.mark.parametrize(("template", "expected"), GOLDEN)
def test_renders_as_go_does(template: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(TemplateWrong):
            render(template, VALUE)
    else:
        assert render(template, VALUE) == expected


@given(st.text().filter(lambda text: "{{" not in text), values)
def test_a_text_without_actions_stays_as_it_is(text: str, value: Value) -> None:
    assert render(text, value) == text


@given(st.lists(words, max_size=30).map(" ".join), values)
def test_any_source_is_rendered_or_refused(source: str, value: Value) -> None:
    with suppress(TemplateWrong):
        assert isinstance(render(source, value, Limits(output=10_000, actions=10_000)), str)


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True), st.text()))
def test_a_map_is_printed_in_the_order_of_its_keys(value: dict[str, str]) -> None:
    pairs = " ".join(f"{key}:{value[key]}" for key in sorted(value))
    assert render("{{.}}", value) == f"map[{pairs}]"
    loop = "{{range $k, $v := .}}{{$k}}={{$v}};{{end}}"
    assert render(loop, value) == "".join(f"{key}={value[key]};" for key in sorted(value))


@given(st.lists(st.integers()), st.integers())
def test_conditions_choose_as_comparisons_say(numbers: list[int], limit: int) -> None:
    chosen = render(
        "{{range .N}}{{if and (gt . $.L) (ne . 7)}}{{.}} {{end}}{{end}}",
        {"N": numbers, "L": limit},
    )
    assert chosen.split() == [str(each) for each in numbers if each > limit and each != 7]


@given(st.text())
def test_a_quoted_text_comes_back(text: str) -> None:
    quoted = json.dumps(text, ensure_ascii=True)
    if "\\u" not in quoted:
        assert render("{{print " + quoted + "}}", None) == text


def test_depth_is_bounded() -> None:
    for source in ("{{if 1}}" * 500 + "{{end}}" * 500, "{{" + "(" * 500 + "1" + ")" * 500 + "}}"):
        with pytest.raises(TemplateWrong, match="levels"):
            render(source, None)


def test_output_and_work_are_bounded() -> None:
    loop = "{{range 100000}}{{range 100000}}%s{{end}}{{end}}"
    with pytest.raises(TemplateWrong, match="characters"):
        render(loop % "x", None, Limits(output=1000))
    with pytest.raises(TemplateWrong, match="come to an end"):
        render(loop % "{{$x := 1}}", None, Limits(actions=1000))


def test_a_wrong_field_names_those_that_there_are() -> None:
    with pytest.raises(TemplateWrong, match="no field Nope; there are Status, IssueCount"):
        render("{{.Nope}}", Struct(Status="a", IssueCount=1))
