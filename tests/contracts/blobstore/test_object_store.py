"""What only the object store promises: parts and tails, takeovers, and faults of the store."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import pytest

from tests.support.faults import Fault, FaultProxy
from tests.support.s3 import BUCKET, S3Server
from tests.support.uploads import Session
from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable, UploadShort
from wharfinger.blobstore.object_store.state import decode
from wharfinger.blobstore.object_store.store import MIB, ObjectStore
from wharfinger.database.errors import StorageFull
from wharfinger_common.digests import Digest

FAR_FUTURE = 10.0**11
PART = 5 * MIB
PREFIX = f"t/{uuid.uuid4()}"
_T = TypeVar("_T")
LARGE = random.Random(1).randbytes(2 * PART + 3 * MIB + 17)
DIGEST = Digest.of(LARGE)


@pytest.fixture(scope="module")
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as running:
        yield running


@pytest.fixture
def faults(proxy: FaultProxy) -> Iterator[FaultProxy]:
    proxy.clear()
    yield proxy
    proxy.clear()


@pytest.fixture(scope="module")
def behind(s3: S3Server, proxy: FaultProxy) -> ObjectStore:
    """A store that is reached through the proxy."""
    return s3.store(proxy.endpoint, PREFIX, seconds=20.0, attempts=4, connections=3)


@pytest.fixture(scope="module")
def impatient(s3: S3Server, proxy: FaultProxy) -> ObjectStore:
    """One that soon gives up waiting, but asks again and again: the machine may be slow too."""
    return s3.store(proxy.endpoint, PREFIX, seconds=2.0, attempts=10)


@pytest.fixture
def store(s3: S3Server) -> ObjectStore:
    return s3.store()


@pytest.fixture
def session(store: ObjectStore) -> Session:
    return Session(store)


def content_of(store: ObjectStore, location: str) -> bytes:
    with store.open(location) as reader:
        return b"".join(reader.read(0, reader.size))


def commit(session: Session, more: bytes = b"") -> str:
    """End the upload with ``more``, as a PUT does."""
    with session.writer() as writer:
        writer.write(more)
        location = writer.commit(DIGEST).location
        session.end(writer)
    return location


def locations(store: ObjectStore) -> list[str]:
    return [one.location for one in store.objects("", 1000)]


# --- Parts and tails -----------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 4 * MIB, PART, PART + 1, 2 * PART, len(LARGE) - 1])
def test_a_large_upload_in_two_requests(store: ObjectStore, session: Session, cut: int) -> None:
    session.append(LARGE[:cut])
    state = decode(session.state)
    assert [part.size for part in state.parts] == [PART] * (cut // PART)
    location = commit(session, LARGE[cut:])
    assert content_of(store, location) == LARGE
    assert locations(store) == [location]
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_a_large_upload_in_uneven_chunks(store: ObjectStore, session: Session) -> None:
    at, sizes = 0, random.Random(2)
    while at < len(LARGE):
        size = sizes.choice([1, 100_000, MIB, 3 * MIB])
        session.append(LARGE[at : at + size])
        at = min(at + size, len(LARGE))
        assert session.size == at
    with session.writer() as writer:
        assert b"".join(writer.read()) == LARGE
        location = writer.commit(DIGEST).location
        session.end(writer)
    assert content_of(store, location) == LARGE
    assert locations(store) == [location]


def test_an_upload_that_is_one_tail_becomes_the_blob_as_it_lies(
    store: ObjectStore, session: Session
) -> None:
    session.append(b"small")
    [tail] = locations(store)
    assert commit(session) == tail


def test_giving_up_a_request_leaves_nothing_of_it(store: ObjectStore, session: Session) -> None:
    with session.writer() as writer:
        writer.write(LARGE)
        writer.revert()
        assert writer.standing() == (0, "")
    assert (locations(store), list(store.leftovers(FAR_FUTURE))) == ([], [])


def test_giving_up_a_request_leaves_what_stood_before(store: ObjectStore, session: Session) -> None:
    session.append(LARGE[: PART + 10])
    before = locations(store)
    with session.writer() as writer:
        writer.write(LARGE[PART + 10 :])
        writer.revert()
    assert locations(store) == before
    assert content_of(store, commit(session, LARGE[PART + 10 :])) == LARGE


def test_what_was_read_to_be_hashed_and_then_not_wanted_goes(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE)
    with session.writer() as writer:
        assert b"".join(writer.read()) == LARGE
        store.discard(session.id, writer.standing().state)
    assert (locations(store), list(store.leftovers(FAR_FUTURE))) == ([], [])


def test_leftovers_are_discarded_by_what_is_told_of_them(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE[: PART + 1])
    [left] = store.leftovers(FAR_FUTURE)
    assert left.upload == session.id
    assert list(store.leftovers(0)) == []
    store.discard(left.upload, left.state)
    store.discard(left.upload, left.state)
    assert list(store.leftovers(FAR_FUTURE)) == []


def test_what_is_not_the_stores_own_is_not_listed(s3: S3Server) -> None:
    store = s3.store()
    location = store.put(Digest.of(b"x"), b"x").location
    prefix = store.client.objects("blobs/", "blobs/")
    assert [one.key for one in prefix] == [f"blobs/{location[:2]}/{location}"]
    store.client.put(f"blobs/{location[:2]}/notes.txt", b"foreign")
    store.client.put(f"blobs/zz/{location}", b"foreign")
    store.client.put("else/x", b"foreign")
    assert locations(store) == [location]


# --- Takeovers -----------------------------------------------------------------------------


def test_a_writer_that_was_overtaken_within_a_part_does_no_harm(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE[: PART + 100])
    late = session.writer()
    late.write(bytes(PART))
    late.save()
    with session.writer() as successor:
        successor.write(LARGE[PART + 100 :])
        successor.save()
        session.acknowledge(successor)
    location = commit(session)
    late.revert()
    assert content_of(store, location) == LARGE


def test_a_part_that_was_replaced_too_late_fails_the_upload_instead_of_the_blob(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE[: PART + 100])
    late = session.writer()
    with session.writer() as successor:
        successor.write(LARGE[PART + 100 :])
        session.acknowledge(successor)
        late.write(bytes(PART))
        late.save()
        with pytest.raises(UploadShort) as short:
            successor.commit(DIGEST)
        assert short.value.stored == 0
        assert successor.standing() == (0, "")


def test_an_upload_that_was_completed_by_one_that_died_is_completed_again(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE)
    first = session.writer()
    location = first.commit(DIGEST).location
    with session.writer() as second:
        assert b"".join(second.read()) == LARGE
        assert second.commit(DIGEST).location == location
    with session.writer() as third:
        assert third.commit(DIGEST).location == location


def test_bytes_behind_an_upload_that_was_completed_are_refused(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE[: PART + 1])
    first = session.writer()
    first.write(b"1")
    first.commit(DIGEST)
    # As long as the first one's, and of another content.
    with pytest.raises(UploadShort):
        commit(session, b"2")


def test_a_multipart_upload_that_vanished_sets_the_upload_back(
    store: ObjectStore, session: Session
) -> None:
    session.append(LARGE)
    [left] = store.leftovers(FAR_FUTURE)
    store.discard(left.upload, left.state)
    with session.writer() as writer:
        writer.write(LARGE[:PART])
        for _ in range(2):
            with pytest.raises(UploadShort):
                writer.save()
        assert writer.standing() == (0, "")
    assert locations(store) == []


def test_a_tail_that_vanished_sets_the_upload_back(store: ObjectStore, session: Session) -> None:
    session.append(b"one")
    session.append(b"two")
    for location in locations(store):
        store.delete(location)
    with session.writer() as writer, pytest.raises(UploadShort):
        writer.commit(DIGEST)


# --- Faults --------------------------------------------------------------------------------

PASSING = [Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.STALL, Fault.RESET, Fault.LOSE_ANSWER]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize(
    ("method", "containing"),
    [
        ("POST", "uploads"),
        ("PUT", "partNumber=2"),
        ("POST", "uploadId"),
        ("DELETE", ""),
        ("PUT", ""),
    ],
    ids=["begin", "part", "complete", "delete", "tail"],
)
def test_pushing_through_a_fault(
    behind: ObjectStore,
    impatient: ObjectStore,
    faults: FaultProxy,
    fault: Fault,
    method: str,
    containing: str,
) -> None:
    session = Session(impatient if fault is Fault.STALL else behind)
    session.append(LARGE[:100])
    faults.fail(fault, method=method, containing=containing)
    session.append(LARGE[100:])
    location = commit(session)
    assert any(one.fault is fault for one in faults.seen)
    assert content_of(behind, location) == LARGE


@pytest.mark.parametrize("fault", [*PASSING, Fault.TRUNCATE, Fault.DRIP])
def test_reading_through_a_fault(
    behind: ObjectStore, impatient: ObjectStore, faults: FaultProxy, fault: Fault
) -> None:
    store = impatient if fault is Fault.STALL else behind
    location = behind.put(DIGEST, LARGE).location
    for times in (1, 3):
        faults.fail(fault, times=times, method="GET")
        assert content_of(store, location) == LARGE
    assert sum(one.fault is fault for one in faults.seen) >= 2


def test_a_broken_answer_is_continued_not_begun_again(
    behind: ObjectStore, faults: FaultProxy
) -> None:
    location = behind.put(DIGEST, LARGE).location
    faults.fail(Fault.TRUNCATE, method="GET")
    assert content_of(behind, location) == LARGE
    first, second = (one.headers for one in faults.seen if one.method == "GET")
    start, _, end = second["range"].removeprefix("bytes=").partition("-")
    assert 0 < int(start) <= len(LARGE) // 2
    assert int(end) == len(LARGE) - 1
    assert "if-match" in second
    assert "if-match" not in first


@pytest.mark.parametrize(
    "fault", [Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.RESET, Fault.DENIED, Fault.TRUNCATE]
)
def test_a_store_that_keeps_failing_ends_the_read(
    behind: ObjectStore, faults: FaultProxy, fault: Fault
) -> None:
    location = behind.put(DIGEST, LARGE).location
    faults.fail(fault, times=float("inf"), method="GET")
    got = bytearray()

    def read() -> None:
        with behind.open(location) as reader:
            for piece in reader.read(0, reader.size):
                got.extend(piece)

    with pytest.raises(StoreUnavailable, match="blob store"):
        read()
    assert len(got) < len(LARGE)
    assert LARGE.startswith(bytes(got))
    faults.clear()
    assert content_of(behind, location) == LARGE


@pytest.mark.parametrize(
    ("fault", "refusal"), [(Fault.SLOW_DOWN, StoreUnavailable), (Fault.FULL, StorageFull)]
)
def test_a_push_that_fails_goes_on_from_what_stands(
    behind: ObjectStore, faults: FaultProxy, fault: Fault, refusal: type[Exception]
) -> None:
    session = Session(behind)
    session.append(LARGE[:PART])
    faults.fail(fault, times=float("inf"), method="PUT", containing="partNumber=3")
    with session.writer() as writer:
        writer.write(LARGE[PART : 2 * PART])
        writer.write(bytes(PART))
        for _ in range(2):
            with pytest.raises(refusal):
                writer.save()
        size, session.state = writer.standing()
    assert size == 2 * PART
    session.size = size
    faults.clear()
    assert content_of(behind, commit(session, LARGE[size:])) == LARGE


def test_an_unfinished_end_is_ended_by_the_next_request(
    behind: ObjectStore, faults: FaultProxy
) -> None:
    session = Session(behind)
    session.append(LARGE)
    faults.fail(Fault.LOSE_ANSWER, times=float("inf"), method="POST", containing="uploadId")
    with session.writer() as writer:
        with pytest.raises(StoreUnavailable):
            writer.commit(DIGEST)
        writer.revert()
        assert writer.standing() == (session.size, session.state)
    faults.clear()
    # A connection that the proxy closed may still be in the pool.
    assert content_of(behind, _insist(partial(commit, session))) == LARGE


def test_a_storm(behind: ObjectStore, faults: FaultProxy) -> None:
    """Each request ends right or says that it failed; what was acknowledged stands."""
    failures = 0
    for seed in range(2):
        session = Session(behind)
        faults.storm(0.4, seed)
        while session.size < len(LARGE):
            with session.writer() as writer:
                try:
                    writer.write(LARGE[session.size : session.size + 4 * MIB])
                    writer.save()
                except StoreUnavailable:
                    failures += 1
                session.size, session.state = writer.standing()
        location = _insist(partial(commit, session))
        assert _insist(partial(content_of, behind, location)) == LARGE
        faults.clear()
        assert content_of(behind, location) == LARGE
        assert len({one.fault for one in faults.seen}) <= 1
    assert failures < 30


def _insist(call: Callable[[], _T]) -> _T:
    for _ in range(50):
        try:
            return call()
        except StoreUnavailable:
            continue
    raise AssertionError("never a moment without a fault")


# --- Bounds and access ---------------------------------------------------------------------


def test_more_readers_than_connections_are_refused(behind: ObjectStore) -> None:
    location = behind.put(DIGEST, LARGE).location
    readers = [behind.open(location) for _ in range(3)]
    with pytest.raises(StoreUnavailable):
        behind.open(location)
    readers[0].close()
    readers[0].close()
    behind.open(location).close()
    with pytest.raises(BlobMissing):
        behind.open(location[:-1] + ("0" if location[-1] != "0" else "1"))
    for reader in readers[1:]:
        assert b"".join(reader.read(0, reader.size)) == LARGE
        reader.close()


def test_wrong_keys_are_told_without_them(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-this-store")
    store = s3.store()
    for call in (store.check, lambda: store.put(DIGEST, b"x"), lambda: list(store.objects("", 1))):
        with pytest.raises(StoreUnavailable, match="blob store"):
            call()
    told = [str(getattr(record, "fields", "")) for record in caplog.records]
    assert any("SignatureDoesNotMatch" in text for text in told)
    assert not any("not-the-secret" in text for text in told)


def test_missing_keys_and_buckets_are_not_ready(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = s3.store()
    s3.client().head_bucket(Bucket=BUCKET)
    store.check()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreUnavailable):
        s3.store().check()


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.RESET, Fault.DENIED, Fault.SLOW_DOWN])
def test_a_store_that_does_not_answer_is_not_ready(
    impatient: ObjectStore, faults: FaultProxy, fault: Fault
) -> None:
    faults.fail(fault, times=float("inf"))
    with pytest.raises(StoreUnavailable, match="blob store"):
        impatient.check()
    assert len(faults.seen) == 1


def test_a_url_lets_in_for_its_time_and_for_its_blob_only(s3: S3Server) -> None:
    import httpx

    store = s3.store()
    location = store.put(DIGEST, b"content").location
    other = store.put(DIGEST, b"other").location
    url = store.url(location, 60)
    assert httpx.get(url).content == b"content"
    part = httpx.get(url, headers={"Range": "bytes=2-3"})
    assert (part.status_code, part.content) == (206, b"nt")
    assert httpx.get(url.replace(location, other)).status_code == 403
    assert httpx.get(url.replace("Expires=60", "Expires=61")).status_code == 403
    assert s3.secret_key not in url
