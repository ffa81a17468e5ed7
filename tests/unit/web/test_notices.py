"""Warnings with successful answers: their form, their bounds, and when they come."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.web.notices import MAX_BYTES, Notice, Silent, advice, ending, warnings
from wharfinger_common.catalogue import notices as entries

FORM = re.compile(r'299 - "((?:[ !#-\[\]-~]|\\["\\])*)"')
"""RFC 7234 section 5.5 as OCI distribution 1.1 narrows it: warn-code 299, no agent, no date."""


def deprecated(kind: str) -> Notice:
    return Notice(entries.MANIFEST_TYPE_DEPRECATED, {"type": kind})


def test_a_warning_is_told_with_its_code() -> None:
    (value,) = warnings([Notice(entries.CREDENTIAL_ENDS_SOON, {"minutes": 5})])

    assert value == '299 - "The credential behind this sign-in ends in 5 minutes (WHF1001)"'


@given(st.lists(st.text(max_size=3000), max_size=5))
def test_whatever_the_facts_are_the_headers_are_well_formed(kinds: list[str]) -> None:
    values = warnings(map(deprecated, kinds))

    assert all(FORM.fullmatch(value) for value in values)
    assert sum(map(len, values)) <= MAX_BYTES


def test_the_same_is_told_once() -> None:
    assert len(warnings([deprecated("x"), deprecated("x"), deprecated("y")])) == 2


@pytest.mark.parametrize(
    ("ends", "minutes"),
    [(0, None), (10_000, None), (1_000 + 7_200, 120), (1_061, 2), (1_000, 0), (900, 0)],
)
def test_an_end_is_told_when_it_is_near(ends: int, minutes: int | None) -> None:
    found = ending(ends, now=1_000.0, limit=7_200)

    assert (found and found.facts["minutes"]) == minutes


def test_an_adviser_that_fails_tells_nothing() -> None:
    class Broken:
        def advise(self, region: str, repository: str) -> Sequence[Notice]:
            raise OSError("away")

    assert advice(Broken(), "local", "team/app") == ()
    assert advice(Silent(), "local", "team/app") == ()
