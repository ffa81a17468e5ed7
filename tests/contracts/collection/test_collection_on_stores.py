"""Collection and checking over every blob store: a bucket is cleared and checked as a folder is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.collection.test_checking import check
from tests.support.databases import sqlite_database
from tests.support.depot import DELAY, GRACE, ORPHAN_GRACE, Depot
from tests.support.registry_manifests import REGION
from tests.support.s3 import BUCKET, S3Server
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.port import BlobStore
from wharfinger.database.errors import StorageFull
from wharfinger.registry.model.checking import Remedy
from wharfinger.registry.model.collection import Reason, Thing
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger_common.digests import Digest

PUSHER = Pusher(REGION, "tenant/app", "user")
LARGE = bytes(range(256)) * (3 << 13)  # 6 MiB: more than one part of a multipart upload
Overwrite = Callable[[str, bytes], None]


def filesystem(_: pytest.FixtureRequest, folder: Path) -> tuple[BlobStore, Overwrite]:
    store = FilesystemStore(folder / "blobs")

    def overwrite(location: str, content: bytes) -> None:
        store.path(location).write_bytes(content)

    return store, overwrite


def bucket(request: pytest.FixtureRequest, _: Path) -> tuple[BlobStore, Overwrite]:
    server: S3Server = request.getfixturevalue("s3")
    prefix, client = f"t/{uuid.uuid4()}", server.client()

    def overwrite(location: str, content: bytes) -> None:
        listed = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        (key,) = [one["Key"] for one in listed if one["Key"].endswith(location)]
        client.put_object(Bucket=BUCKET, Key=key, Body=content)

    return server.store(prefix=prefix), overwrite


@pytest.fixture(params=[filesystem, bucket], ids=["filesystem", "s3"])
def damaging(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Depot, Overwrite]]:
    """A registry over the store, and a way to change what lies there behind its back."""
    store, overwrite = request.param(request, tmp_path)
    with sqlite_database(tmp_path) as database:
        yield Depot(database, store), overwrite


def test_what_nothing_needs_leaves_the_store_empty(
    damaging: tuple[Depot, Overwrite],
) -> None:
    depot, _ = damaging
    upload = depot.uploads.open(PUSHER).id
    depot.uploads.append(PUSHER, upload, [LARGE[: 5 << 20]], None)
    depot.uploads.finish(PUSHER, upload, Digest.of(LARGE), [LARGE[5 << 20 :]], None)
    image = depot.push_layers(b"layer", LARGE, tag="v1")
    depot.push_blob(b"never referenced")
    lost = depot.bytes_store.put(Digest.of(b"a push that died"), b"a push that died").location
    assert depot.shown(LARGE)

    depot.manifests.delete(Place(REGION, "tenant/app"), image)
    depot.now += GRACE + ORPHAN_GRACE
    assert {(each.thing, each.reason) for each in depot.report()} >= {
        (Thing.BLOB, Reason.UNLINKED),
        (Thing.LINK, Reason.UNREFERENCED),
        (Thing.BYTES, Reason.ORPHANED),
    }
    depot.collect()
    assert depot.discarded()[lost] == Reason.ORPHANED
    depot.now += DELAY + 1
    depot.collect()

    assert depot.stored() == []
    assert (depot.rows(), depot.discarded(), depot.report()) == ([], {}, [])


def test_damage_is_found_fenced_and_healed(damaging: tuple[Depot, Overwrite]) -> None:
    depot, overwrite = damaging
    contents = [b"gone", b"cut short", b"changed", b"whole"]
    depot.push_layers(*contents, tag="v1")
    gone, short, changed = (
        depot.reads.find(REGION, "tenant/app", Digest.of(content)).location
        for content in contents[:3]
    )
    assert check(depot, deep=True) == []

    depot.bytes_store.delete(gone)
    overwrite(short, b"cut")
    overwrite(changed, b"degnahc")
    depot.bytes_store.put(Digest.of(b"orphan"), b"orphan")
    depot.now += ORPHAN_GRACE + 60

    assert sorted(check(depot, deep=True, repair=True)) == [
        ("blob-digest", Remedy.FENCED),
        ("blob-missing", Remedy.FENCED),
        ("blob-size", Remedy.FENCED),
        ("bytes-orphaned", Remedy.REMOVED),
    ]
    for content in contents[:3]:
        depot.push_blob(content)
    assert all(depot.shown(content) for content in contents)
    depot.now += DELAY + 1
    depot.collect()
    assert check(depot, deep=True) == []
    assert len(depot.stored()) == len(contents) + 1


def push_in_chunks(depot: Depot, content: bytes) -> None:
    upload = depot.uploads.open(PUSHER).id
    depot.uploads.append(PUSHER, upload, [content[: 5 << 20]], None)
    depot.uploads.finish(PUSHER, upload, Digest.of(content), [content[5 << 20 :]], None)


def location_of(depot: Depot, content: bytes) -> str:
    return depot.reads.find(REGION, "tenant/app", Digest.of(content)).location


def test_what_was_placed_is_known_by_its_seal(
    damaging: tuple[Depot, Overwrite], monkeypatch: pytest.MonkeyPatch
) -> None:
    depot, overwrite = damaging
    push_in_chunks(depot, LARGE)
    upload = depot.uploads.open(PUSHER).id
    depot.uploads.append(PUSHER, upload, [b"a tail"], None)
    depot.uploads.finish(PUSHER, upload, Digest.of(b"a tail"), [], None)
    depot.push_layers(b"layer", LARGE, b"a tail", tag="v1")
    opened: list[str] = []
    open_ = depot.bytes_store.open

    def noting(location: str, *more: int) -> object:
        opened.append(location)
        return open_(location, *more)

    monkeypatch.setattr(depot.bytes_store, "open", noting)
    assert (check(depot), opened) == ([], [])

    # A backup that was restored: the same bytes, put there by somebody else.
    for content in (LARGE, b"layer"):
        overwrite(location_of(depot, content), content)
    assert check(depot) == []
    # A bucket tells of small objects that they are the same.
    assert {location_of(depot, LARGE)} <= set(opened) <= set(depot.stored())
    opened.clear()
    assert (check(depot), opened) == ([], [])


def test_replaced_bytes_are_found_without_reading_all_and_healed_by_a_push(
    damaging: tuple[Depot, Overwrite],
) -> None:
    depot, overwrite = damaging
    push_in_chunks(depot, LARGE)
    depot.push_layers(b"layer", LARGE, tag="v1")
    overwrite(location_of(depot, LARGE), LARGE[::-1])
    overwrite(location_of(depot, b"layer"), b"reyal")
    assert check(depot) == [("blob-digest", Remedy.NONE)] * 2
    # Nobody fenced them yet.
    depot.push_blob(b"layer")
    push_in_chunks(depot, LARGE)
    assert depot.shown(b"layer")
    assert depot.shown(LARGE)
    assert check(depot, deep=True) == []


def test_restored_bytes_are_read_though_nothing_can_be_written_down(
    damaging: tuple[Depot, Overwrite], monkeypatch: pytest.MonkeyPatch
) -> None:
    depot, overwrite = damaging
    push_in_chunks(depot, LARGE)
    overwrite(location_of(depot, LARGE), LARGE)

    def full(*_: object, **__: object) -> None:
        raise StorageFull

    monkeypatch.setattr(depot.database, "writing", full)
    monkeypatch.setattr(depot.bytes_store, "seal", full)
    assert depot.shown(LARGE)
