"""Lists of tags and of repositories: order, pages, limits, and whose they are."""

import re
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from tests.support.registry_manifests import REGION, House
from wharfinger.identity.model import Claims, TokenType, Visibility
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.paging import Page, PageInvalid, link
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.service.catalog import Catalogue
from wharfinger.registry.service.tags import Tags
from wharfinger.registry.store.catalog import SqlCatalog
from wharfinger.registry.store.tags import SqlTagLists

CLAIMS = Claims(TokenType.REGISTRY, "registry", REGION, "a", "who", "credential", 0, 0, 1 << 40)
tag_names = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,8}", fullmatch=True)


class Sees:
    """Lets every caller see the same."""

    def __init__(self, *accounts: str, namespaces: tuple[tuple[str, str], ...] = ()) -> None:
        self.visibility = Visibility(frozenset(accounts), frozenset(namespaces))

    def visible_to(self, claims: Claims, /) -> Visibility:
        return self.visibility


def tags_of(house: House, maximum: int = 100) -> Tags:
    return Tags(SqlTagLists(house.database), house, maximum)


def catalogue(house: House, sees: Sees, maximum: int = 100) -> Catalogue:
    return Catalogue(SqlCatalog(house.database), sees, maximum)


def set_tags(house: House, *names: str, place: Place | None = None) -> None:
    with house.store.writing() as changes:
        key = changes.open(place or house.place, "a", 0)
        changes.move_tags(key, names, "sha256:" + "0" * 64, 0)


def plans_of(house: House, call: object) -> list[str]:
    """Return how SQLite runs each SELECT that ``call`` sends."""
    sent: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        call()  # type: ignore[operator]  # a callable; its kind is no matter here
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with house.database.reading() as connection:
        return [
            " | ".join(
                row[3]
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[arg-type]  # as they were sent
            )
            for sql, parameters in sent
        ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(tag_names, max_size=12), n=st.integers(1, 5), maximum=st.integers(1, 5))
def test_pages_put_together_are_the_sorted_list(
    house: House, names: set[str], n: int, maximum: int
) -> None:
    # A repository for each example: the fixture serves them all.
    place = Place(REGION, f"tenant/{uuid.uuid4().hex}")
    set_tags(house, *names, place=place)
    collected: list[str] = []
    last = ""
    while True:
        page = tags_of(house, maximum).list(place, str(n), last)
        assert len(page.names) <= min(n, maximum)
        collected += page.names
        if not page.more:
            break
        last = page.names[-1]
    assert collected == sorted(names)


def test_the_order_is_that_of_the_bytes(house: House) -> None:
    set_tags(house, "b", "B", "a", "_", "1", "1.0", "1-0", "a_")
    wanted = ["1", "1-0", "1.0", "B", "_", "a", "a_", "b"]
    assert tags_of(house).list(house.place, "", "").names == wanted
    assert tags_of(house).list(house.place, "", "between").names == []
    assert tags_of(house).list(house.place, "2", "Z").names == ["_", "a"]


def test_none_are_asked_for(house: House) -> None:
    set_tags(house, "a", "b")
    page = tags_of(house).list(house.place, "0", "")
    assert (page.names, page.more) == ([], False)


def test_a_repository_without_tags_has_an_empty_list(house: House) -> None:
    with pytest.raises(NameUnknown):
        tags_of(house).list(house.place, "", "")
    set_tags(house)
    assert tags_of(house).list(house.place, "", "").names == []
    with pytest.raises(NamespaceUnknown):
        tags_of(house).list(Place(REGION, "nowhere/app"), "", "")


@pytest.mark.parametrize("n", ["-1", "1.5", "x", " 1", "+1", "1e3", "٣", "9" * 30, "0x10"])
def test_a_bad_number_is_refused(house: House, n: str) -> None:
    set_tags(house, "a")
    with pytest.raises(PageInvalid) as refused:
        tags_of(house).list(house.place, n, "")
    assert refused.value.facts["parameter"] == "n"


@pytest.mark.parametrize("last", ["a/b", ".a", "a\x00", "t" * 129, "ä"])
def test_a_last_that_is_no_tag_is_refused(house: House, last: str) -> None:
    set_tags(house, "a")
    with pytest.raises(PageInvalid):
        tags_of(house).list(house.place, "", last)


def test_lists_come_from_an_index(house: House) -> None:
    set_tags(house, "a", "b")
    plans = plans_of(house, lambda: SqlTagLists(house.database).tags(house.place, Page(10, "a")))
    assert len(plans) == 2
    assert "USING PRIMARY KEY (repository_id=? AND name>?)" in plans[1]
    assert not [plan for plan in plans if re.search("SCAN|TEMP B-TREE", plan)]


# --- Catalogue -----------------------------------------------------------------------------


def with_repositories(house: House) -> None:
    house.add_namespace("other", "b")
    house.add_namespace("tenant-x", "b")
    with house.store.writing() as changes:
        for name in ("tenant/b", "tenant/a", "tenant/a/deep"):
            changes.open(Place(REGION, name), "a", 0)
        for name in ("other/one", "other/two", "tenant-x/app"):
            changes.open(Place(REGION, name), "b", 0)


def test_the_catalogue_shows_what_the_caller_may_see(house: House) -> None:
    with_repositories(house)
    own = ["tenant/a", "tenant/a/deep", "tenant/b"]
    assert catalogue(house, Sees()).list(CLAIMS, "", "").names == []
    assert catalogue(house, Sees("a")).list(CLAIMS, "", "").names == own
    public = Sees("a", namespaces=(("b", "tenant-x"), ("a", "tenant"), ("c", "other")))
    # In the order of bytes "-" comes before "/"; what belongs to another account stays hidden.
    assert catalogue(house, public).list(CLAIMS, "", "").names == ["tenant-x/app", *own]


def test_pages_of_the_catalogue_put_together_are_the_whole(house: House) -> None:
    with_repositories(house)
    sees = Sees("b", namespaces=(("a", "tenant"),))
    whole = catalogue(house, sees).list(CLAIMS, "", "").names
    assert whole == sorted(whole)
    assert len(whole) == 6
    collected: list[str] = []
    more, last = True, ""
    while more:
        page = catalogue(house, sees, maximum=2).list(CLAIMS, "", last)
        collected += page.names
        more, last = page.more, page.names[-1]
    assert collected == whole
    assert catalogue(house, sees).list(CLAIMS, "0", "").names == []
    with pytest.raises(PageInvalid):
        catalogue(house, sees).list(CLAIMS, "", "Not/A/Name")


def test_the_catalogue_costs_what_its_page_costs(house: House) -> None:
    with_repositories(house)
    visibility = Sees("b", namespaces=(("a", "tenant"),)).visibility
    plans = plans_of(
        house,
        lambda: SqlCatalog(house.database).repositories(REGION, visibility, Page(9, "other")),
    )
    assert len(plans) == 2
    assert all("name>?" in plan for plan in plans)
    assert not [plan for plan in plans if re.search("SCAN|TEMP B-TREE", plan)]


def test_a_link_leads_on(house: House) -> None:
    header = link("/v2/tenant/app/tags/list", n="2", last="a+b&c", empty="")
    match = re.fullmatch(r'<([^>]+)>; rel="next"', header)
    assert match is not None
    assert parse_qs(urlsplit(match[1]).query) == {"n": ["2"], "last": ["a+b&c"]}
