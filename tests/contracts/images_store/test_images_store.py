"""What the images' store does on every database: pages, copies, and what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from tests.support.databases import sqlite_database
from tests.support.registry_manifests import REGION, House, image, index
from wharfinger.audit.store import record
from wharfinger.database.schema import registry as tables
from wharfinger.images.model.listing import Listed, Scope, Tagged
from wharfinger.images.store import rows
from wharfinger.images.store.images import SqlImageStore
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.repositories import Place

SCOPE = Scope(REGION, "tenant")
OTHER = Place(REGION, "tenant/other")


@pytest.fixture
def store(house: House) -> SqlImageStore:
    return SqlImageStore(
        house.database,
        hold_namespace=hold_owner,
        record=record,
        clock=lambda: house.now,
    )


def page(
    store: SqlImageStore,
    limit: int = 100,
    after: tuple[str, str] = ("", ""),
    tagged: Tagged = Tagged.ONLY,
    scope: Scope = SCOPE,
) -> list[Listed]:
    with store.reading() as records:
        return list(records.page(scope, after, limit, tagged, indexes=True))


def test_pages_of_every_size_hold_the_same_in_the_order_of_bytes(
    house: House, store: SqlImageStore
) -> None:
    names = ("b", "a-b", "a", "a/c", "a.b", "a0")
    places = [Place(REGION, f"tenant/{name}") for name in names]
    for number, place in enumerate(places * 3):
        house.add_blob(b"{}", "x/y", place=place)
        house.push(image(annotations={"n": str(number)}), f"v{number}", place=place)
    for kind in (Tagged.ONLY, Tagged.ANY):
        whole = page(store, tagged=kind)
        keys = [(one.repository, one.digest) for one in whole]
        assert len(keys) == 18
        assert keys == sorted(keys, key=lambda key: (key[0].encode(), key[1]))
        for limit in (1, 4, 17):
            found: list[Listed] = []
            while True:
                behind = (found[-1].repository, found[-1].digest) if found else ("", "")
                some = page(store, limit, behind, kind)
                found += some
                if len(some) < limit:
                    break
            assert found == whole


def test_which_manifests_a_list_shows(house: House, store: SqlImageStore) -> None:
    child = house.push_image(b"child")
    house.push(index(child), "multi")
    tagged = house.push_image(b"tagged", "v1", "v2")
    assert {one.digest: one.tags for one in page(store, tagged=Tagged.NONE)} == {
        child["digest"]: ()
    }
    assert len(page(store, tagged=Tagged.ANY)) == 3
    with store.reading() as records:
        found = records.page(SCOPE, ("", ""), 9, Tagged.ONLY, indexes=False)
    assert [(one.digest, one.tags) for one in found] == [(tagged["digest"], ("v1", "v2"))]
    some = Scope(REGION, "tenant", frozenset({"tenant/other"}))
    assert page(store, scope=some) == []


def test_tags_beyond_measure_end_a_page_early(
    house: House, store: SqlImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [house.push_image(name, f"{name.decode()}0")["digest"] for name in (b"x", b"y", b"z")]
    key = _key(house)
    with house.database.writing() as connection:
        more = [
            {"repository_id": key, "name": f"t{n}{d[-6:]}", "digest": d, "updated_at": 0}
            for d in digests
            for n in range(5)
        ]
        connection.execute(insert(tables.tags), more)
    monkeypatch.setattr(rows, "MOST_TAGS", 8)
    first = page(store)
    assert [(one.digest, len(one.tags)) for one in first] == [(min(digests), 6)]
    monkeypatch.setattr(rows, "MOST_TAGS", 4)
    assert [len(one.tags) for one in page(store)] == [4]


def test_a_page_is_read_from_indexes(tmp_path: Path) -> None:
    """Nothing is scanned or sorted but the page itself: that makes it cost what it holds.

    On SQLite; PostgreSQL plans by what is in the tables.
    """
    statements: list[tuple[str, Any]] = []
    with sqlite_database(tmp_path) as database, database.reading() as connection:
        listen = (connection.engine, "before_cursor_execute")

        def keep(_c: Any, _k: Any, text: str, values: Any, _x: Any, _m: Any) -> None:
            statements.append((text, values))

        event.listen(*listen, keep)
        for kind in Tagged:
            rows.page(connection, SCOPE, ("tenant/app", "sha256:1"), 10, kind, indexes=False)
        event.remove(*listen, keep)
        assert len(statements) == 6
        for text, values in statements:
            plan = [
                str(row[3])
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            ]
            inner = plan[: next(n for n, step in enumerate(plan) if step.startswith("SCAN"))]
            assert not [step for step in inner if "B-TREE" in step], plan
            assert [step for step in plan if step.startswith("SCAN")] == ["SCAN anon_1"], plan


def test_a_copy_is_whole_or_not_made(house: House, store: SqlImageStore) -> None:
    child = house.push_image(b"layer")
    house.push(index(child), "multi")
    with store.reading() as records:
        found = records.find(house.place, "multi")
        assert found is not None
        assert records.children(house.place, found.digest) == [child["digest"]]

    def copy(digest: str) -> bool:
        with store.writing() as changes:
            key = changes.open(OTHER, "a", 2)
            origin = changes.share(house.place)
            assert origin is not None
            return changes.copy(origin, key, digest, 2)

    assert not copy(found.digest), "the image that it lists is not there yet"
    assert not copy("sha256:" + "0" * 64)
    assert copy(child["digest"])
    assert copy(child["digest"])
    assert copy(found.digest)
    assert house.manifests.get(OTHER, found.digest).content == found.content
    assert _shown(house, OTHER) == _shown(house, house.place)
    with house.database.writing() as connection:
        key = _key(house)
        connection.execute(
            tables.repository_blobs.delete().where(tables.repository_blobs.c.repository_id == key)
        )
    with store.writing() as changes:
        third = changes.open(Place(REGION, "tenant/third"), "a", 2)
        assert not changes.copy(key, third, child["digest"], 2), "its layers are not there"


def _key(house: House, place: Place | None = None) -> int:
    name = (place or house.place).repository
    with house.database.reading() as connection:
        query = select(tables.repositories.c.id).where(tables.repositories.c.name == name)
        return int(connection.execute(query).scalar_one())


def _shown(house: House, place: Place) -> set[str]:
    links = tables.repository_blobs.c
    with house.database.reading() as connection:
        query = select(links.digest).where(links.repository_id == _key(house, place))
        return set(connection.scalars(query))
