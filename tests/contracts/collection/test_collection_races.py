"""Somebody uses the very blob that is about to go, at each step of its going, and the reverse.

One thread runs in steps: its transactions, its statements, its deletions in the store. At one of
them it lets another thread act, and goes on once that one is done or has to wait for it. Whatever
the client of both was told must be true afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.support.databases import DATABASES
from tests.support.depot import DELAY, GRACE, Depot
from tests.support.races import Steps, stepping_through
from tests.support.registry_manifests import REGION
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.registry.model.blobs import BlobUnknown
from wharfinger.registry.model.collection import Task
from wharfinger.registry.model.manifests import ReferencesUnknown
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.tables import blobs, repository_blobs
from wharfinger_common.digests import Digest

MOST_STEPS = 60
APP, TARGET = "tenant/app", "tenant/target"


class SteppingStore(FilesystemStore):
    """A store whose deletions are steps: the collector waits for the threads that do them."""

    steps: Steps | None = None

    def delete(self, location: str) -> None:
        if self.steps is not None:
            self.steps.step()
        super().delete(location)


@contextmanager
def stepping(depot: Depot, at: int, act: Callable[[], None]) -> Iterator[Steps]:
    """Run the block in steps."""
    steps = Steps(at, act)
    store = depot.bytes_store
    assert isinstance(store, SteppingStore)
    with pytest.MonkeyPatch.context() as patch, stepping_through(depot.database, steps):
        patch.setattr(store, "steps", steps)
        yield steps


@pytest.fixture(params=DATABASES)
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    with DATABASES[request.param](tmp_path) as database:
        yield Depot(database, SteppingStore(tmp_path / "blobs"))


def push(depot: Depot, content: bytes) -> None:
    """A client pushes the blob again; its manifest comes later."""
    depot.push_blob(content, APP)


def mount(depot: Depot, content: bytes) -> None:
    """A client mounts it into another repository, or uploads it where it is told to."""
    if not depot.mount(Digest.of(content), APP, TARGET):
        depot.push_blob(content, TARGET)


def ask(depot: Depot, content: bytes) -> None:
    """A client asks whether it is there, and uploads it only if not."""
    try:
        depot.reads.promise(REGION, APP, Digest.of(content))
    except BlobUnknown:
        depot.push_blob(content, APP)


def reference(depot: Depot, content: bytes) -> None:
    """A client relies on an earlier push; refused, it pushes all of the image."""
    try:
        depot.push_manifest(content, repository=APP)
    except ReferencesUnknown:
        depot.push_layers(content, repository=APP)


def release(depot: Depot, content: bytes) -> None:
    """Somebody pushes it elsewhere and deletes that again."""
    digest = depot.push_layers(content, repository=TARGET)
    depot.manifests.delete(Place(REGION, TARGET), digest)


ACTS: Sequence[tuple[Callable[[Depot, bytes], None], Sequence[str]]] = [
    (push, [APP]),
    (mount, [TARGET]),
    (ask, [APP]),
    (reference, [APP]),
    (release, []),
]


@pytest.mark.parametrize(("act", "where"), ACTS, ids=[act.__name__ for act, _ in ACTS])
def test_what_somebody_was_told_while_it_was_collected_is_true(
    depot: Depot, act: Callable[[Depot, bytes], None], where: Sequence[str]
) -> None:
    depot.push_layers(b"kept", repository=APP)
    depot.push_layers(b"kept too", repository=TARGET)
    for at in range(MOST_STEPS):
        content = b"blob %d" % at
        if not _collected_meanwhile(depot, at, partial(act, depot, content)):
            break
        for repository in where:
            assert depot.shown(content, repository), (at, repository)
            depot.push_blob(b"{}", repository)
            depot.push_manifest(content, repository=repository)
    assert 8 < at < MOST_STEPS - 1
    _settle(depot)
    for number in range(at):
        for repository in where:
            assert depot.shown(b"blob %d" % number, repository)
    assert depot.shown(b"kept", APP)
    assert depot.shown(b"kept too", TARGET)


def _collected_meanwhile(depot: Depot, at: int, act: Callable[[], None]) -> bool:
    """Collect ``blob AT`` while ``act`` happens; False if there were not so many steps."""
    depot.push_blob(b"blob %d" % at, APP)
    depot.now += GRACE + 1
    with stepping(depot, at, act) as steps:
        depot.passes.whole(Task.LINKS)
        depot.passes.whole(Task.BLOBS)
        depot.now += DELAY + 1
        depot.passes.whole(Task.BYTES)
        reached = steps.end()
    depot.collect()
    return reached


@pytest.mark.parametrize(("act", "where"), ACTS[:4], ids=[act.__name__ for act, _ in ACTS[:4]])
def test_what_is_in_use_halfway_is_not_collected(
    depot: Depot, act: Callable[[Depot, bytes], None], where: Sequence[str]
) -> None:
    for at in range(MOST_STEPS):
        content = b"blob %d" % at
        depot.push_blob(content, APP)
        depot.now += GRACE + 1
        with stepping(depot, at, depot.collect) as steps:
            act(depot, content)
            reached = steps.end()
        if not reached:
            break
        depot.now += DELAY + 1
        depot.collect()
        for repository in where:
            assert depot.shown(content, repository), (at, repository)
    assert 1 < at < MOST_STEPS - 1


def _settle(depot: Depot) -> None:
    """Collect all there is, and check that nothing is left that nothing reaches."""
    for _ in range(3):
        depot.now += GRACE + DELAY + 1
        depot.collect()
    with depot.database.reading() as connection:
        rows = connection.execute(select(blobs.c.digest, blobs.c.location)).all()
        linked = set(connection.scalars(select(repository_blobs.c.digest)))
    assert {row.digest for row in rows} == linked
    assert {row.location for row in rows} == set(depot.stored())
    assert depot.discarded() == {}
