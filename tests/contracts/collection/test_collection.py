"""What goes, when, and what stays: collection over a real database and a real store."""

import uuid

import pytest
from sqlalchemy import ColumnElement, literal

from tests.support.depot import DELAY, EXPIRY, GRACE, ORPHAN_GRACE, Depot
from tests.support.registry_manifests import REGION
from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.blobstore.port import Placed
from wharfinger.jobs.model import Stopping
from wharfinger.registry.model.collection import Reason, Task, Thing
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger.registry.service.collection import EXAMINED, REMOVED
from wharfinger.registry.store.collection import SqlCollectionRecords
from wharfinger.registry.store.discards import Bytes, discard_bytes
from wharfinger_common.digests import Digest

PLACE = Place(REGION, "tenant/app")


def test_a_blob_that_no_manifest_needs_goes_when_its_grace_is_over(depot: Depot) -> None:
    depot.push_blob(b"waiting for its manifest")
    location = depot.stored()[0]

    depot.now += GRACE - 1
    depot.collect()
    assert depot.shown(b"waiting for its manifest")

    depot.now += 2
    depot.collect()
    assert not depot.shown(b"waiting for its manifest")
    assert depot.rows() == []
    assert depot.discarded() == {location: Reason.UNLINKED}
    assert depot.stored() == [location]

    depot.now += DELAY + 1
    depot.collect()
    assert depot.stored() == []
    assert depot.discarded() == {}


def test_what_a_manifest_needs_stays_tagged_or_not(depot: Depot) -> None:
    depot.push_layers(b"one", b"two")
    depot.push_layers(b"two", b"three", tag="latest")
    for _ in range(3):
        depot.now += GRACE * 10
        depot.collect()
    assert all(depot.shown(content) for content in (b"{}", b"one", b"two", b"three"))
    assert len(depot.stored()) == 4


def test_the_blobs_of_a_deleted_manifest_go_without_waiting_for_a_grace(depot: Depot) -> None:
    first = depot.push_layers(b"shared", b"own")
    depot.push_layers(b"shared", tag="kept")
    depot.manifests.delete(PLACE, first)
    depot.collect()
    assert depot.rows() == sorted(str(Digest.of(each)) for each in (b"{}", b"shared"))
    depot.now += DELAY + 1
    depot.collect()
    assert len(depot.stored()) == 2
    assert depot.shown(b"shared")


def test_one_repository_needs_it_another_does_not(depot: Depot) -> None:
    depot.push_layers(b"layer")
    assert depot.mount(Digest.of(b"layer"), "tenant/app", "tenant/other")
    depot.now += GRACE + 1
    depot.collect()
    assert depot.shown(b"layer")
    assert not depot.shown(b"layer", "tenant/other")
    depot.now += DELAY + 1
    depot.collect()
    assert depot.shown(b"layer")


@pytest.mark.parametrize("again", ["push", "mount"])
def test_pushed_or_mounted_again_its_grace_starts_anew(depot: Depot, again: str) -> None:
    digest = depot.push_blob(b"layer")
    depot.push_layers(b"layer", repository="tenant/source")
    depot.now += GRACE - 10
    if again == "push":
        depot.push_blob(b"layer")
    else:
        assert depot.mount(digest, "tenant/source", "tenant/app")
    depot.now += 20
    depot.collect()
    assert depot.shown(b"layer")
    depot.now += GRACE
    depot.collect()
    assert not depot.shown(b"layer")


def test_what_another_room_keeps_keeps_its_row_and_bytes(depot: Depot) -> None:
    kept = str(Digest.of(b"kept"))

    def keeper(digest: ColumnElement[str]) -> ColumnElement[bool]:
        return digest == literal(kept)

    for content in (b"kept", b"not kept"):
        depot.push_blob(content)
    passes = depot.collection(SqlCollectionRecords(depot.database, [keeper]))
    depot.now += GRACE + 1
    for task in Task:
        passes.whole(task)
    assert not depot.shown(b"kept")
    assert depot.rows() == [kept]


def test_bytes_that_belong_to_nothing_go_when_they_are_old(depot: Depot) -> None:
    depot.push_layers(b"layer")
    lost = depot.bytes_store.put(Digest.of(b"a push that died"), b"a push that died").location
    depot.now += ORPHAN_GRACE - 60
    depot.collect()
    assert lost in depot.stored()
    depot.now += 120
    depot.collect()
    assert depot.discarded() == {lost: Reason.ORPHANED}
    depot.now += DELAY + 1
    depot.collect()
    assert lost not in depot.stored()
    assert len(depot.stored()) == 2
    assert depot.shown(b"layer")


def test_bytes_replaced_by_another_push_go(depot: Depot) -> None:
    depot.push_blob(b"layer")
    (former,) = depot.stored()
    depot.bytes_store.delete(former)
    depot.push_blob(b"layer")
    assert depot.discarded() == {former: Reason.REPLACED}
    depot.now += DELAY + 1
    depot.collect()
    assert depot.discarded() == {}
    assert depot.shown(b"layer")


def test_a_push_that_lingers_between_bytes_and_row_is_refused_before_they_are_swept(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = depot.bytes_store.put

    def lingering(digest: Digest, content: bytes) -> Placed:
        placed = put(digest, content)
        depot.now += ORPHAN_GRACE
        return placed

    monkeypatch.setattr(depot.bytes_store, "put", lingering)
    with pytest.raises(StoreUnavailable):
        depot.push_blob(b"late")
    assert depot.rows() == []


def test_a_discard_of_bytes_that_a_blob_has_is_never_carried_out(depot: Depot) -> None:
    """It cannot come about; should a defect bring it about, the bytes stay."""
    depot.push_layers(b"layer")
    location = depot.reads.find(REGION, "tenant/app", Digest.of(b"layer")).location
    with depot.database.writing() as connection:
        discard_bytes(connection, [Bytes(location, 5)], Reason.ORPHANED, int(depot.now))
    depot.now += DELAY + 1
    depot.collect()
    assert location in depot.stored()
    assert depot.shown(b"layer")


def test_passes_go_on_where_they_stood_and_end(depot: Depot) -> None:
    """Each slice has time for one step; what was examined counts once."""
    ticks = iter(range(0, 10**9, 3))
    passes = depot.collection(depot.records, elapsed=lambda: float(next(ticks)))
    garbage = 2 * REMOVED + 1
    _plant(depot, garbage)
    depot.now += GRACE + 1
    slices = 1
    while not passes.run(Task.LINKS, lambda: None):
        slices += 1
    assert slices > 1
    ((task, state),) = depot.watcher.passes
    assert (task, state.examined, state.removed) == (Task.LINKS, garbage, garbage)
    assert state.ended_at == depot.now
    assert depot.records.load(Task.LINKS) == state


def test_no_step_removes_more_than_a_short_unit_should(depot: Depot) -> None:
    _plant(depot, REMOVED + 5)
    depot.now += GRACE + 1
    depot.collect()
    depot.now += DELAY + 1
    depot.collect()
    assert depot.stored() == []
    assert max(step.removed for _, step in depot.watcher.steps) == REMOVED
    assert max(step.examined for _, step in depot.watcher.steps) <= EXAMINED


def test_a_pass_rests_in_proportion_to_its_work(depot: Depot) -> None:
    pauses: list[float] = []
    now = iter(float(tick) for tick in range(10**6))
    passes = depot.collection(depot.records, pauses.append, lambda: next(now))
    _plant(depot, 2 * REMOVED)
    depot.now += GRACE + 1
    passes.whole(Task.LINKS)
    # At 25 percent each second of work is followed by three of rest.
    assert pauses == [3.0] * 2


def test_a_pass_ends_when_the_process_does(depot: Depot) -> None:
    ticks = iter(range(10**6))

    def keep() -> None:
        raise Stopping

    passes = depot.collection(depot.records, elapsed=lambda: float(next(ticks)))
    _plant(depot, 3 * REMOVED)
    depot.now += GRACE + 1
    with pytest.raises(Stopping):
        passes.run(Task.LINKS, keep)
    while not passes.run(Task.LINKS, lambda: None):
        pass
    assert depot.report() != []
    assert not any(each.thing is Thing.LINK for each in depot.report())


def test_bytes_that_cannot_be_deleted_are_told_and_tried_again(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b"stubborn", b"other"):
        depot.push_blob(content)
    stubborn = depot.reads.find(REGION, "tenant/app", Digest.of(b"stubborn")).location
    depot.now += GRACE + 1
    depot.collect()
    depot.now += DELAY + 1
    delete = depot.bytes_store.delete

    def failing(location: str) -> None:
        if location == stubborn:
            raise StoreUnavailable(part="blob store")
        delete(location)

    with monkeypatch.context() as patch:
        patch.setattr(depot.bytes_store, "delete", failing)
        depot.collect()
        assert depot.watcher.left == [stubborn]
        assert depot.stored() == [stubborn]
        # With nothing else to do, the store itself seems to be away: the job fails and waits.
        with pytest.raises(StoreUnavailable):
            depot.passes.whole(Task.BYTES)
    depot.collect()
    assert depot.stored() == []


def test_a_dry_run_tells_what_goes_and_why(depot: Depot) -> None:
    unused = depot.push_blob(b"unused")
    needed = depot.push_blob(b"needed elsewhere")
    depot.push_layers(b"needed elsewhere", repository="tenant/other")
    gone = depot.push_layers(b"of a deleted manifest")
    depot.manifests.delete(PLACE, gone)
    orphan = depot.bytes_store.put(Digest.of(b"orphan"), b"orphan").location
    pusher = Pusher(REGION, "tenant/app", "user")
    session = depot.uploads.append(pusher, depot.uploads.open(pusher).id, [b"some"], None)
    left = str(uuid.uuid4())
    for upload in (left, session.id):
        with depot.bytes_store.writer(upload, 0) as writer:
            writer.write(b"some")
    depot.now += EXPIRY + 1

    report = {(each.thing, each.reason, each.name): each for each in depot.report()}

    unreferenced, unlinked = Reason.UNREFERENCED, Reason.UNLINKED
    assert set(report) == {
        (Thing.LINK, unreferenced, str(unused)),
        (Thing.LINK, unreferenced, str(needed)),
        (Thing.BLOB, unlinked, str(unused)),
        (Thing.BLOB, unlinked, str(Digest.of(b"of a deleted manifest"))),
        (Thing.UPLOAD, Reason.EXPIRED, session.id),
        (Thing.UPLOAD, Reason.ORPHANED, left),
        (Thing.BYTES, Reason.ORPHANED, orphan),
    }
    link = report[Thing.LINK, unreferenced, str(unused)]
    assert (link.repository, link.size) == ("tenant/app", len(b"unused"))


def test_what_the_dry_run_tells_is_what_goes(depot: Depot) -> None:
    depot.push_blob(b"unused")
    depot.push_layers(b"kept")
    gone = depot.push_layers(b"deleted", repository="tenant/other")
    depot.manifests.delete(Place(REGION, "tenant/other"), gone)
    depot.now += GRACE + 1
    told = {each.name for each in depot.report() if each.thing is Thing.BLOB}
    before = set(depot.rows())
    depot.collect()
    assert before - set(depot.rows()) == told
    assert {each.thing for each in depot.report()} == {Thing.BYTES}
    depot.now += DELAY + 1
    depot.collect()
    assert depot.report() == []


def _plant(depot: Depot, count: int) -> None:
    """Make ``count`` unreferenced blobs."""
    for number in range(count):
        depot.push_blob(b"%d" % number)
