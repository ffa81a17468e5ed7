"""What every blob store does. A new adapter joins by one line in `STORES`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.s3 import S3Server
from tests.support.uploads import Session
from wharfinger.blobstore.errors import BlobMissing, UploadInUse, UploadShort
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.memory import MemoryStore
from wharfinger.blobstore.port import CHUNK, BlobStore, StoredObject
from wharfinger_common.digests import Digest

STORES: dict[str, Callable[[pytest.FixtureRequest, Path], BlobStore]] = {
    "filesystem": lambda _, folder: FilesystemStore(folder / "blobs"),
    "memory": lambda *_: MemoryStore(clock=lambda: 1_000_000.0),
    "s3": lambda request, _: _object_store(request.getfixturevalue("s3")),
}
LOCKING = ("filesystem", "memory")
"""Stores in which two writers at once could do harm, and which therefore keep them apart."""

FAR_FUTURE = 10.0**11


def _object_store(s3: S3Server) -> BlobStore:
    return s3.store()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](request, tmp_path)


@pytest.fixture(params=LOCKING)
def locking(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](request, tmp_path)


@pytest.fixture
def session(store: BlobStore) -> Session:
    return Session(store)


def content_of(store: BlobStore, location: str) -> bytes:
    with store.open(location) as reader:
        return b"".join(reader.read(0, reader.size))


def stored_for(store: BlobStore, upload: str) -> list[object]:
    """What lies in the store for the upload, in whatever form."""
    left = [one for one in store.leftovers(FAR_FUTURE) if one.upload == upload]
    return [*left, *(one for one in store.objects("", 1000) if one.upload == upload)]


def test_an_upload_grows_over_several_writers_and_becomes_the_blob(
    store: BlobStore, session: Session
) -> None:
    session.append(b"one ")
    session.append(memoryview(b"two "))
    with session.writer() as writer:
        writer.write(bytearray(b"three"))
        assert writer.tell() == 13
        assert b"".join(writer.read()) == b"one two three"
        location = writer.commit(Digest.of(b"one two three")).location
    assert content_of(store, location) == b"one two three"


def test_an_upload_of_many_small_chunks(store: BlobStore, session: Session) -> None:
    chunks = [b"%d," % number for number in range(40)]
    for chunk in chunks:
        session.append(chunk)
    with session.writer() as writer:
        assert b"".join(writer.read()) == b"".join(chunks)
        location = writer.commit(Digest.of(b"".join(chunks))).location
        session.end(writer)
    assert content_of(store, location) == b"".join(chunks)
    assert [one.location for one in store.objects("", 100)] == [location]


@pytest.mark.parametrize("chunks", [1, 2])
def test_the_committed_upload_is_gone(store: BlobStore, session: Session, chunks: int) -> None:
    for _ in range(chunks):
        session.append(b"content")
    with session.writer() as writer:
        location = writer.commit(Digest.of(b"content" * chunks)).location
        assert writer.standing().size == 0
        session.end(writer)
    assert list(store.leftovers(FAR_FUTURE)) == []
    assert [one.location for one in store.objects("", 100)] == [location]
    with pytest.raises(UploadShort) as short:
        store.writer(session.id, 7)
    assert short.value.stored == 0


def test_an_upload_is_resumed_only_if_it_stands_as_said(locking: BlobStore) -> None:
    session = Session(locking)
    for size in (0, 3, 6):
        assert locking.resume(session.id, size + 1) is None
        if size:
            assert locking.resume(session.id, size - 1) is None
        writer = locking.resume(session.id, size)
        assert writer is not None
        with writer:
            assert writer.tell() == size
            writer.write(b"abc")
    writer = locking.resume(session.id, 9)
    assert writer is not None
    with writer:
        assert b"".join(writer.read()) == b"abc" * 3
        location = writer.commit(Digest.of(b"abc" * 3)).location
        session.end(writer)
    assert content_of(locking, location) == b"abc" * 3
    assert locking.resume(session.id, 9) is None


def test_who_resumed_an_upload_shuts_out_all_others(locking: BlobStore) -> None:
    session = Session(locking)
    session.append(b"content")
    writer = locking.resume(session.id, 7)
    assert writer is not None
    with writer:
        writer.write(b"!")
        for size in (7, 8):
            with pytest.raises(UploadInUse):
                locking.resume(session.id, size)
        with pytest.raises(UploadInUse):
            locking.writer(session.id, 7)
    with locking.writer(session.id, 7), pytest.raises(UploadInUse):
        locking.resume(session.id, 7)


def test_a_store_without_locks_resumes_nothing(store: BlobStore, tmp_path: Path) -> None:
    session = Session(store)
    session.append(b"content")
    if not isinstance(store, FilesystemStore | MemoryStore):
        assert store.resume(session.id, 7) is None
    shared = FilesystemStore(tmp_path / "shared", one_host=False)
    session = Session(shared)
    session.append(b"content")
    assert shared.resume(session.id, 7) is None


def test_what_was_not_acknowledged_is_dropped(session: Session) -> None:
    session.append(b"acknowledged")
    with session.writer() as writer:
        writer.write(b", and a tail")
        writer.save()
    with session.writer() as writer:
        assert writer.tell() == 12
        writer.write(b"!")
        assert b"".join(writer.read()) == b"acknowledged!"


def test_what_stands_grows_by_saving_and_returns_by_reverting(
    store: BlobStore, session: Session
) -> None:
    session.append(b"12345")
    assert session.size == 5
    with session.writer() as writer:
        writer.write(b"678")
        writer.revert()
        assert writer.standing() == (session.size, session.state)
    with session.writer() as writer:
        writer.write(b"678")
        writer.save()
        writer.revert()
        assert writer.standing() == (session.size, session.state)
    with session.writer() as writer:
        assert writer.tell() == 5
        writer.write(b"6")
        assert b"".join(writer.read()) == b"123456"
        location = writer.commit(Digest.of(b"123456")).location
        assert writer.standing().size == 0
        assert writer.tell() == 6
        session.end(writer)
    assert content_of(store, location) == b"123456"
    assert [one.location for one in store.objects("", 100)] == [location]


def test_what_is_placed_and_reverted_goes_on_and_the_blob_stays_as_it_is(
    store: BlobStore, session: Session
) -> None:
    """No row came to name the blob, or one did and its unit's answer was lost."""
    session.append(b"12345")
    with session.writer() as writer:
        writer.write(b"6")
        placed = writer.commit(Digest.of(b"123456")).location
        writer.revert()
        assert writer.standing() == (session.size, session.state)
    with session.writer() as writer:
        assert b"".join(writer.read()) == b"12345"
    session.append(b"!")
    with session.writer() as writer:
        writer.write(b"?")
        again = writer.commit(Digest.of(b"12345!?")).location
        session.end(writer)
    assert content_of(store, placed) == b"123456"
    assert content_of(store, again) == b"12345!?"
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_an_upload_with_less_than_acknowledged_says_so(store: BlobStore, session: Session) -> None:
    session.append(b"12345")
    with pytest.raises(UploadShort) as short:
        store.writer(session.id, 6, session.state)
    assert short.value.stored <= 5
    store.writer(session.id, 5, session.state).close()


def test_a_state_of_another_store_is_no_state(store: BlobStore, session: Session) -> None:
    store.discard(session.id, "else")
    with pytest.raises(UploadShort):
        store.writer(session.id, 5, "else")


def test_a_writer_that_lost_its_lease_does_no_harm(store: BlobStore, session: Session) -> None:
    session.append(b"acknowledged, ")
    late = session.writer()
    late.write(b"unheard of")
    try:
        successor = session.writer()
    except UploadInUse:
        late.close()
        successor = session.writer()
    with successor:
        successor.write(b"and complete")
        with suppress(ValueError):  # a writer that was closed
            late.write(b", late")
            late.save()
        location = successor.commit(Digest.of(b"acknowledged, and complete")).location
    with suppress(ValueError):
        late.revert()
        late.close()
    assert content_of(store, location) == b"acknowledged, and complete"


def test_one_writer_at_a_time(locking: BlobStore) -> None:
    session = Session(locking)
    with session.writer() as writer:
        writer.write(b"first")
        with pytest.raises(UploadInUse):
            session.writer()
        session.acknowledge(writer)
    session.writer().close()


def test_a_closed_writer_may_be_closed_again_without_freeing_the_next_ones_hold(
    locking: BlobStore,
) -> None:
    session = Session(locking)
    first = session.writer()
    first.close()
    with session.writer():
        first.close()
        with pytest.raises(UploadInUse):
            session.writer()


def test_large_content_is_read_in_bounded_pieces(store: BlobStore, session: Session) -> None:
    content = bytes(range(256)) * (CHUNK // 128) + b"end"
    with session.writer() as writer:
        writer.write(content)
        pieces = list(writer.read())
        assert max(map(len, pieces)) <= CHUNK
        assert b"".join(pieces) == content
        location = writer.commit(Digest.of(content)).location
    with store.open(location) as reader:
        pieces = list(reader.read(10, CHUNK + 10))
        assert max(map(len, pieces)) <= CHUNK
        assert b"".join(pieces) == content[10 : CHUNK + 20]


def test_reading_beyond_the_end_gives_what_there_is(store: BlobStore) -> None:
    location = store.put(Digest.of(b"0123456789"), b"0123456789").location
    with store.open(location) as reader:
        assert reader.size == 10
        assert b"".join(reader.read(7, 100)) == b"789"
        assert list(reader.read(10, 5)) == []


@pytest.mark.parametrize(
    ("first", "length"), [(0, None), (0, 10), (2, None), (2, 3), (9, 1), (5, 100), (0, 0), (10, 1)]
)
def test_what_will_be_read_is_only_a_hint(store: BlobStore, first: int, length: int | None) -> None:
    location = store.put(Digest.of(b"0123456789"), b"0123456789").location
    with store.open(location, first, length) as reader:
        assert reader.size == 10
        assert b"".join(reader.read(first, 3)) == b"0123456789"[first : first + 3]
        assert b"".join(reader.read(0, 10)) == b"0123456789"
        assert b"".join(reader.read(4, 2)) == b"45"


def test_the_empty_blob(store: BlobStore, session: Session) -> None:
    digest = Digest.of(b"", "sha512")
    assert content_of(store, store.put(digest, b"").location) == b""
    with session.writer() as writer:
        assert content_of(store, writer.commit(digest).location) == b""


def test_committing_again_takes_another_place_and_leaves_the_former_alone(
    store: BlobStore, session: Session
) -> None:
    digest = Digest.of(b"content")
    former = store.put(digest, b"damaged").location
    with session.writer() as writer:
        writer.write(b"content")
        location = writer.commit(digest).location
    assert location != former
    assert content_of(store, former) == b"damaged"
    store.delete(former)
    assert content_of(store, location) == b"content"


def test_a_reader_goes_on_though_the_blob_is_deleted(store: BlobStore) -> None:
    location = store.put(Digest.of(b"content"), b"content").location
    with store.open(location) as reader:
        store.delete(location)
        assert b"".join(reader.read(0, 7)) == b"content"


def test_many_commits_of_one_digest_at_once_end_well(store: BlobStore) -> None:
    content = b"the same layer" * 1000
    digest = Digest.of(content)
    start = threading.Barrier(8)
    locations: list[str] = []

    def commit(number: int) -> None:
        start.wait()
        if number % 2:
            locations.append(store.put(digest, content).location)
            return
        session = Session(store)
        with session.writer() as writer:
            writer.write(content)
            locations.append(writer.commit(digest).location)
            session.end(writer)

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(locations) == 8
    assert len(set(locations)) == 8
    assert {content_of(store, location) for location in locations} == {content}
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_discarding(store: BlobStore, session: Session) -> None:
    session.append(b"abandoned")
    assert stored_for(store, session.id)
    assert list(store.leftovers(0)) == []
    store.discard(session.id, session.state)
    store.discard(session.id, session.state)
    assert stored_for(store, session.id) == []


def test_deleting(store: BlobStore) -> None:
    location = store.put(Digest.of(b"content"), b"content").location
    assert store.look(location).size == 7
    store.delete(location)
    store.delete(location)
    with pytest.raises(BlobMissing):
        store.open(location)
    with pytest.raises(BlobMissing):
        store.look(location)


def listed(store: BlobStore, limit: int) -> list[StoredObject]:
    found: list[StoredObject] = []
    while page := store.objects(found[-1].location if found else "", limit):
        found += page
        if len(page) < limit:
            break
    return found


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_listing_everything_stored_in_order(store: BlobStore, session: Session, limit: int) -> None:
    contents = [b"%d" % number for number in range(10)]
    digests = [Digest.of(content) for content in contents]
    digests += [Digest.of(contents[0], "sha512"), digests[0]]
    contents += [contents[0], contents[0]]
    locations = [store.put(*pair).location for pair in zip(digests, contents, strict=True)]
    session.append(b"not yet a blob")

    found = [each for each in listed(store, limit) if each.upload != session.id]

    assert [each.location for each in found] == sorted(locations)
    assert {each.location: each.size for each in found} == dict.fromkeys(locations, 1)
    assert all(0 < each.modified < FAR_FUTURE for each in found)


def test_what_goes_while_it_is_listed_hides_nothing_else(store: BlobStore) -> None:
    for number in range(8):
        store.put(Digest.of(b"%d" % number), b"%d" % number)
    first, *rest = [each.location for each in store.objects("", 100)]
    assert [each.location for each in store.objects("", 1)] == [first]
    store.delete(first)
    store.delete(rest[0])
    assert [each.location for each in store.objects(first, 100)] == rest[1:]


def test_an_empty_store_lists_nothing(store: BlobStore) -> None:
    assert store.objects("", 10) == []


def test_a_path_where_there_is_one_leads_to_the_bytes(store: BlobStore) -> None:
    path = store.path(store.put(Digest.of(b"content"), b"content").location)
    assert path is None or path.read_bytes() == b"content"


def test_a_store_that_works_is_ready(store: BlobStore) -> None:
    store.check()


@pytest.mark.parametrize("upload", ["", "..", "../x", "a/b", "A" * 36, "0" * 36, "\0"])
def test_no_path_is_made_of_an_unchecked_upload_id(store: BlobStore, upload: str) -> None:
    with pytest.raises(ValueError, match="upload id"):
        store.writer(upload, 0)
    with pytest.raises(ValueError, match="upload id"):
        store.discard(upload)


@pytest.mark.parametrize("location", ["", "..", "sha256/../x", "sha256/aa/" + "b" * 64, "/etc"])
def test_no_path_is_made_of_an_unchecked_location(store: BlobStore, location: str) -> None:
    for method in (store.open, store.path, store.delete, store.look):
        with pytest.raises(ValueError, match="location"):
            method(location)
