"""The look-ups of the fast path find the same on every database."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, update

from tests.support.databases import LIMITS, sqlite_database
from tests.support.postgres import fresh_database
from tests.support.registry_manifests import REGION, House
from wharfinger.database.postgres import PostgresDatabase
from wharfinger.database.schema import identity
from wharfinger.database.schema import registry as tables
from wharfinger.database.sqlite import connect
from wharfinger.database.unit import Database
from wharfinger.registry.fastreads import AwaitedReads, FastReads, ReadFailed, SqliteFastReads
from wharfinger.registry.fastreads_postgres import PostgresFastReads

Reads = Callable[[], FastReads | AwaitedReads]
Opened = tuple[Database, Reads]


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Opened]:
    with sqlite_database(folder) as database, closing(connect(folder / "test.db")) as raw:
        yield database, lambda: SqliteFastReads(raw)


@contextmanager
def on_postgresql(_folder: Path) -> Iterator[Opened]:
    with fresh_database() as url:
        database = PostgresDatabase(url, LIMITS)
        yield database, lambda: PostgresFastReads(url, 2)
        database.close()


OPENERS: Mapping[str, Callable[[Path], AbstractContextManager[Opened]]] = {
    "sqlite": on_sqlite,
    "postgresql": on_postgresql,
}


@pytest.fixture(params=OPENERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, Reads]]:
    with OPENERS[request.param](tmp_path) as (database, reads):
        with database.writing() as connection:
            credential = {"id": "c", "iam_id": "i", "kind": "apikey", "epoch": 7}
            connection.execute(insert(identity.credentials), credential)
        yield House(database), reads


def ask(reads: Reads, *questions: tuple[str, dict[str, Any]]) -> list[Any]:
    """What each look-up (its name, and what it takes) finds, one after the other on one loop."""

    async def run() -> list[Any]:
        over, answers = reads(), []
        for name, taken in questions:
            found = getattr(over, name)(**taken)
            answers.append(await found if inspect.isawaitable(found) else found)
        return answers

    return asyncio.run(run())


def key(reference: str, **more: Any) -> dict[str, Any]:
    place = {"region": REGION, "repository": "tenant/app"}
    return {"key": place | {"reference": reference, "credential": "c"} | more}


def test_a_manifest_is_found_by_tag_and_digest(opened: tuple[House, Reads]) -> None:
    house, reads = opened
    digest = house.push_image(b"x", "v1")["digest"]
    stored = house.manifests.get(house.place, "v1")

    by_tag, by_digest, head, wrong, absent = ask(
        reads,
        ("manifest", key("v1") | {"by_tag": True, "with_content": True}),
        ("manifest", key(digest) | {"by_tag": False, "with_content": True}),
        ("manifest", key("v1") | {"by_tag": True, "with_content": False}),
        ("manifest", key("v1", region="south") | {"by_tag": True, "with_content": True}),
        ("manifest", key("v2") | {"by_tag": True, "with_content": True}),
    )

    assert tuple(by_tag) == (7, digest, stored.media_type, stored.size, stored.content)
    assert by_digest == by_tag
    assert tuple(head) == (*by_tag[:4], None)
    assert (wrong, absent) == (None, None)


def test_a_blob_is_found_where_it_is_shown(opened: tuple[House, Reads]) -> None:
    house, reads = opened
    digest = house.add_blob(b"four")["digest"]

    found, unknown, elsewhere = ask(
        reads,
        ("blob", key(digest)),
        ("blob", key(digest, credential="nobody")),
        ("blob", key(digest, repository="tenant/other")),
    )

    assert (found.epoch, found.size) == (7, 4)
    assert (unknown.epoch, unknown.location) == (None, found.location)
    assert elsewhere is None


def test_a_head_finds_what_is_young_or_needed(opened: tuple[House, Reads]) -> None:
    house, reads = opened
    lonely = house.add_blob(b"lonely")["digest"]
    needed = house.add_blob(b"x")["digest"]
    house.push_image(b"x", "v1")
    table = tables.repository_blobs
    with house.database.writing() as connection:
        connection.execute(update(table).values(linked_at=50))

    young, old, old_but_needed = ask(
        reads,
        ("blob_head", key(lonely, young=49)),
        ("blob_head", key(lonely, young=50)),
        ("blob_head", key(needed, young=50)),
    )

    assert young is not None
    assert old is None
    assert old_but_needed is not None


def test_a_namespace_that_goes_shows_nothing_more(opened: tuple[House, Reads]) -> None:
    house, reads = opened
    digest = house.push_image(b"x", "v1")["digest"]
    house.end_namespace("tenant")

    assert ask(
        reads,
        ("manifest", key("v1") | {"by_tag": True, "with_content": True}),
        ("manifest", key(digest) | {"by_tag": False, "with_content": False}),
        ("blob", key(house.push_image.__name__)),
    ) == [None, None, None]


def test_many_look_ups_share_few_connections() -> None:
    with on_postgresql(Path()) as (database, reads):
        house = House(database)
        digest = house.add_blob(b"four")["digest"]

        async def run() -> list[Any]:
            over = reads()
            return list(
                await asyncio.gather(*(over.blob(key(digest)["key"]) for _ in range(40)))  # type: ignore[arg-type]  # PostgreSQL's are awaited
            )

        assert {found.size for found in asyncio.run(run())} == {4}


def test_connections_that_were_ended_are_replaced() -> None:
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with on_postgresql(Path()) as (database, reads):
        house = House(database)
        digest = house.add_blob(b"four")["digest"]

        async def run() -> Any:
            over = reads()
            await over.blob(key(digest)["key"])  # type: ignore[misc]  # PostgreSQL's are awaited
            with database.reading() as connection:
                connection.exec_driver_sql(ended)
            while True:  # as the ordinary route would be asked in between
                try:
                    return await over.blob(key(digest)["key"])  # type: ignore[misc]
                except ReadFailed:
                    continue

        assert asyncio.run(run()).size == 4


def test_a_database_that_does_not_answer_is_told_at_once() -> None:
    reads = PostgresFastReads("postgresql://nobody@127.0.0.1:1/nothing", 2)

    with pytest.raises(ReadFailed):
        asyncio.run(reads.blob(key("sha256:0")["key"]))


def test_whatever_breaks_a_look_up_leaves_it_to_the_ordinary_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminate = asyncpg.Connection.terminate

    async def closed(*_: object, **__: object) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

    def ended(connection: asyncpg.Connection) -> None:
        terminate(connection)
        raise RuntimeError("the handler is closed")

    with on_postgresql(Path()) as (database, reads):
        digest = House(database).add_blob(b"four")["digest"]

        async def run() -> Any:
            over = reads()
            await over.blob(key(digest)["key"])  # type: ignore[misc]  # PostgreSQL's are awaited
            with monkeypatch.context() as patch:
                # As uvloop says of a connection that it closed a moment ago.
                patch.setattr(asyncpg.Connection, "fetchrow", closed)
                patch.setattr(asyncpg.Connection, "terminate", ended)
                with pytest.raises(ReadFailed):
                    await over.blob(key(digest)["key"])  # type: ignore[misc]
            return await over.blob(key(digest)["key"])  # type: ignore[misc]

        assert asyncio.run(run()).size == 4
