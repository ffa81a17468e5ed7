"""What every blob store does. A new adapter joins by one line in `STORES`."""

import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from wharfinger.blobstore.errors import BlobMissing, UploadInUse, UploadShort
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.memory import MemoryStore
from wharfinger.blobstore.port import CHUNK, BlobStore, StoredObject
from wharfinger_common.digests import Digest

STORES: dict[str, Callable[[Path], BlobStore]] = {
    "filesystem": lambda folder: FilesystemStore(folder / "blobs"),
    "memory": lambda _: MemoryStore(clock=lambda: 1_000_000.0),
}

FAR_FUTURE = 10.0**11


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](tmp_path)


@pytest.fixture
def upload() -> str:
    return str(uuid.uuid4())


def content_of(store: BlobStore, location: str) -> bytes:
    with store.open(location) as reader:
        return b"".join(reader.read(0, reader.size))


def write(store: BlobStore, upload: str, offset: int, data: bytes | memoryview) -> None:
    with store.writer(upload, offset) as writer:
        writer.write(data)


def test_an_upload_grows_over_several_writers_and_becomes_the_blob(
    store: BlobStore, upload: str
) -> None:
    write(store, upload, 0, b"one ")
    write(store, upload, 4, memoryview(b"two "))
    with store.writer(upload, 8) as writer:
        writer.write(bytearray(b"three"))
        assert writer.tell() == 13
        assert b"".join(writer.read()) == b"one two three"
        location = writer.commit(Digest.of(b"one two three"))
    assert content_of(store, location) == b"one two three"


def test_the_committed_upload_is_gone(store: BlobStore, upload: str) -> None:
    with store.writer(upload, 0) as writer:
        writer.write(b"content")
        writer.commit(Digest.of(b"content"))
    assert list(store.leftovers(FAR_FUTURE)) == []
    with pytest.raises(UploadShort) as short:
        store.writer(upload, 7)
    assert short.value.stored == 0


def test_what_was_not_acknowledged_is_dropped(store: BlobStore, upload: str) -> None:
    write(store, upload, 0, b"acknowledged, and a tail")
    with store.writer(upload, 12) as writer:
        assert writer.tell() == 12
        writer.write(b"!")
        assert b"".join(writer.read()) == b"acknowledged!"


def test_what_stands_grows_by_saving_and_returns_by_reverting(
    store: BlobStore, upload: str
) -> None:
    with store.writer(upload, 0) as writer:
        writer.write(b"12345")
        writer.save()
        size, state = writer.standing()
        assert size == 5
    with store.writer(upload, size, state) as writer:
        writer.write(b"678")
        writer.revert()
        assert writer.standing() == (size, state)
    with store.writer(upload, size, state) as writer:
        assert writer.tell() == 5
        writer.write(b"6")
        assert b"".join(writer.read()) == b"123456"
        location = writer.commit(Digest.of(b"123456"))
        assert writer.standing().size == 0
        assert writer.tell() == 6
    assert content_of(store, location) == b"123456"


def test_an_upload_with_less_than_acknowledged_says_what_it_has(
    store: BlobStore, upload: str
) -> None:
    write(store, upload, 0, b"12345")
    with pytest.raises(UploadShort) as short:
        store.writer(upload, 6)
    assert short.value.stored == 5
    store.writer(upload, 5).close()


def test_one_writer_at_a_time(store: BlobStore, upload: str) -> None:
    with store.writer(upload, 0) as writer:
        writer.write(b"first")
        with pytest.raises(UploadInUse):
            store.writer(upload, 0)
    store.writer(upload, 5).close()


def test_a_closed_writer_may_be_closed_again_without_freeing_the_next_ones_hold(
    store: BlobStore, upload: str
) -> None:
    first = store.writer(upload, 0)
    first.close()
    with store.writer(upload, 0):
        first.close()
        with pytest.raises(UploadInUse):
            store.writer(upload, 0)


def test_large_content_is_read_in_bounded_pieces(store: BlobStore, upload: str) -> None:
    content = bytes(range(256)) * (CHUNK // 128) + b"end"
    with store.writer(upload, 0) as writer:
        writer.write(content)
        pieces = list(writer.read())
        assert max(map(len, pieces)) <= CHUNK
        assert b"".join(pieces) == content
        location = writer.commit(Digest.of(content))
    with store.open(location) as reader:
        pieces = list(reader.read(10, CHUNK + 10))
        assert max(map(len, pieces)) <= CHUNK
        assert b"".join(pieces) == content[10 : CHUNK + 20]


def test_reading_beyond_the_end_gives_what_there_is(store: BlobStore) -> None:
    location = store.put(Digest.of(b"0123456789"), b"0123456789")
    with store.open(location) as reader:
        assert reader.size == 10
        assert b"".join(reader.read(7, 100)) == b"789"
        assert list(reader.read(10, 5)) == []


def test_the_empty_blob(store: BlobStore, upload: str) -> None:
    digest = Digest.of(b"", "sha512")
    assert content_of(store, store.put(digest, b"")) == b""
    with store.writer(upload, 0) as writer:
        assert content_of(store, writer.commit(digest)) == b""


def test_committing_again_takes_another_place_and_leaves_the_former_alone(
    store: BlobStore, upload: str
) -> None:
    digest = Digest.of(b"content")
    former = store.put(digest, b"damaged")
    with store.writer(upload, 0) as writer:
        writer.write(b"content")
        location = writer.commit(digest)
    assert location != former
    assert content_of(store, former) == b"damaged"
    store.delete(former)
    assert content_of(store, location) == b"content"


def test_a_reader_goes_on_though_the_blob_is_deleted(store: BlobStore) -> None:
    location = store.put(Digest.of(b"content"), b"content")
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
            locations.append(store.put(digest, content))
            return
        with store.writer(str(uuid.uuid4()), 0) as writer:
            writer.write(content)
            locations.append(writer.commit(digest))

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(locations) == 8
    assert len(set(locations)) == 8
    assert {content_of(store, location) for location in locations} == {content}
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_discarding(store: BlobStore, upload: str) -> None:
    write(store, upload, 0, b"abandoned")
    assert [left.upload for left in store.leftovers(FAR_FUTURE)] == [upload]
    assert list(store.leftovers(0)) == []
    store.discard(upload)
    store.discard(upload)
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_deleting(store: BlobStore) -> None:
    location = store.put(Digest.of(b"content"), b"content")
    store.delete(location)
    store.delete(location)
    with pytest.raises(BlobMissing):
        store.open(location)


def listed(store: BlobStore, limit: int) -> list[StoredObject]:
    found: list[StoredObject] = []
    while page := store.objects(found[-1].location if found else "", limit):
        found += page
        if len(page) < limit:
            break
    return found


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_listing_everything_stored_in_order(store: BlobStore, upload: str, limit: int) -> None:
    contents = [b"%d" % number for number in range(10)]
    digests = [Digest.of(content) for content in contents]
    digests += [Digest.of(contents[0], "sha512"), digests[0]]
    contents += [contents[0], contents[0]]
    locations = [store.put(*pair) for pair in zip(digests, contents, strict=True)]
    write(store, upload, 0, b"not yet a blob")

    found = listed(store, limit)

    assert [each.location for each in found] == sorted(locations)
    assert {each.location: each.size for each in found} == dict.fromkeys(locations, 1)
    assert not any(each.upload for each in found)
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
    path = store.path(store.put(Digest.of(b"content"), b"content"))
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
    for method in (store.open, store.path, store.delete):
        with pytest.raises(ValueError, match="location"):
            method(location)
