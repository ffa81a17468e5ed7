"""Images go into the trash and come back while it is emptied and collected, at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contracts.collection.test_collection_races import MOST_STEPS, SteppingStore, stepping
from tests.contracts.images_store.test_trash import Dump, trim
from tests.support.databases import DATABASES
from tests.support.depot import DELAY, Depot
from wharfinger.images.model.trash import NotInTrash
from wharfinger.images.store.trash import kept_in_trash
from wharfinger.registry.model.collection import Task


@pytest.fixture(params=DATABASES)
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    with DATABASES[request.param](tmp_path) as database:
        yield Depot(database, SteppingStore(tmp_path / "blobs"), (kept_in_trash,))


@pytest.fixture
def dump(depot: Depot) -> Dump:
    return Dump(depot)


def collect(depot: Depot) -> None:
    depot.passes.whole(Task.LINKS)
    depot.passes.whole(Task.BLOBS)
    depot.now += DELAY + 1
    depot.passes.whole(Task.BYTES)


def empty(dump: Dump, depot: Depot) -> None:
    trim(dump, 0)
    collect(depot)


def restored(dump: Dump, digest: str, told: list[bool]) -> None:
    try:
        dump.restore(digest)
    except NotInTrash:
        told.append(False)
    else:
        told.append(True)


def require_whole(depot: Depot, digest: str, content: bytes) -> None:
    """The image is there with its blobs, and stays so."""
    for _ in range(2):
        assert depot.manifests.get(depot.place, digest).digest == digest
        assert depot.shown(content)
        assert depot.shown(b"{}")
        collect(depot)


def each_step(depot: Depot, run: Callable[[int, bytes, str], bool]) -> int:
    """Push an image for each step, until there are no more; how many there were."""
    for at in range(MOST_STEPS):
        content = b"layer %d" % at
        if not run(at, content, depot.push_layers(content)):
            return at
    raise AssertionError("it never ends")


def test_an_image_comes_back_whole_or_not_at_all_while_the_trash_is_emptied(
    dump: Dump, depot: Depot
) -> None:
    came_back: list[bool] = []

    def run(at: int, content: bytes, digest: str) -> bool:
        dump.delete(digest)
        told: list[bool] = []
        with stepping(depot, at, partial(restored, dump, digest, told)) as steps:
            empty(dump, depot)
            reached = steps.end()
        if told == [True]:
            require_whole(depot, digest, content)
        came_back.extend(told)
        return reached

    assert each_step(depot, run) > 8
    # Early it comes back, late it is gone.
    assert came_back[0]
    assert not came_back[-1]


def test_emptying_the_trash_halfway_through_a_restoration(dump: Dump, depot: Depot) -> None:
    def run(at: int, content: bytes, digest: str) -> bool:
        dump.delete(digest)
        told: list[bool] = []
        with stepping(depot, at, partial(empty, dump, depot)) as steps:
            restored(dump, digest, told)
            reached = steps.end()
        if told == [True]:
            require_whole(depot, digest, content)
        return reached

    assert each_step(depot, run) > 4


@pytest.mark.parametrize("deletion_first", [True, False])
def test_what_was_deleted_while_it_was_collected_can_be_restored(
    dump: Dump, depot: Depot, deletion_first: bool
) -> None:
    def run(at: int, content: bytes, digest: str) -> bool:
        delete, others = partial(dump.delete, digest), partial(collect, depot)
        first, second = (delete, others) if deletion_first else (others, delete)
        with stepping(depot, at, second) as steps:
            first()
            reached = steps.end()
        if not reached:
            second()
        assert not depot.shown(content)
        dump.restore(digest)
        require_whole(depot, digest, content)
        return reached

    assert each_step(depot, run) > 2
