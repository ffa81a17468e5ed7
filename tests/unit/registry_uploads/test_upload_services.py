"""Pushing blobs through the services: every way in, refusals, resumption."""

import hashlib
import uuid

import pytest
from msgspec.structs import replace

from tests.unit.registry_uploads.yard import ACCOUNT, LEASE, LIMIT, PUSHER, REGION, Yard
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.blobs import Blob, BlobDamaged, BlobReferenced, BlobUnknown
from wharfinger.registry.model.uploads import (
    AlgorithmUnsupported,
    BlobTooLarge,
    ChunkLength,
    ChunkOutOfOrder,
    ContentRange,
    DigestMismatch,
    Pusher,
    UploadBusy,
    UploadLost,
    UploadUnknown,
)
from wharfinger.registry.tables import manifest_references, repositories
from wharfinger_common.digests import Digest

CONTENT = b"a layer " * 1000
DIGEST = Digest.of(CONTENT)
ALGORITHMS = ["sha256", "sha512"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_monolithic_push(yard: Yard, algorithm: str) -> None:
    digest = Digest.of(CONTENT, algorithm)
    blob = yard.uploads.push(PUSHER, digest, [CONTENT[:10], CONTENT[10:]])
    assert (blob.digest, blob.size) == (str(digest), len(CONTENT))
    assert yard.content(digest) == CONTENT


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("split", [0, 1, 5000, len(CONTENT)])
def test_chunks_and_a_final_put(yard: Yard, algorithm: str, split: int) -> None:
    digest = Digest.of(CONTENT, algorithm)
    upload = yard.uploads.open(PUSHER, algorithm)
    yard.uploads.append(PUSHER, upload.id, [CONTENT[:split]], None)
    yard.uploads.finish(PUSHER, upload.id, digest, [CONTENT[split:]], None)
    assert yard.content(digest) == CONTENT
    assert yard.session_files() == []
    with pytest.raises(UploadUnknown):
        yard.uploads.status(PUSHER, upload.id)


@pytest.mark.parametrize("hashes", [0, 100])
def test_an_upload_goes_on_in_a_new_process(yard: Yard, hashes: int) -> None:
    upload = yard.begun(CONTENT[:3000])
    yard.restart(hashes=hashes)
    assert yard.uploads.status(PUSHER, upload.id).size == 3000
    yard.uploads.append(PUSHER, upload.id, [CONTENT[3000:]], ContentRange(3000, len(CONTENT) - 1))
    digest = Digest.of(CONTENT)
    yard.uploads.finish(PUSHER, upload.id, digest, [], None)
    assert yard.content(digest) == CONTENT


def test_two_workers_in_turn_do_not_trust_an_outdated_hash(yard: Yard) -> None:
    one, two = yard.uploads, yard.worker()
    upload = one.open(PUSHER)
    one.append(PUSHER, upload.id, [b"one "], None)
    two.append(PUSHER, upload.id, [b"two "], None)
    one.append(PUSHER, upload.id, [b"three"], None)
    digest = Digest.of(b"one two three")
    two.finish(PUSHER, upload.id, digest, [], None)
    assert yard.content(digest) == b"one two three"


def test_content_with_another_digest_is_refused_and_dropped(yard: Yard) -> None:
    wrong = Digest.of(b"something else")
    with pytest.raises(DigestMismatch, match=str(Digest.of(CONTENT))):
        yard.uploads.push(PUSHER, wrong, [CONTENT])
    for pieces in ([], [CONTENT]):
        upload = yard.begun(*pieces)
        with pytest.raises(DigestMismatch):
            yard.uploads.finish(PUSHER, upload.id, wrong, [b"tail"], None)
        with pytest.raises(UploadUnknown):
            yard.uploads.status(PUSHER, upload.id)
    assert yard.rows() == {"uploads": 0, "blobs": 0, "repositories": 0, "repository_blobs": 0}
    assert yard.session_files() == []


@pytest.mark.parametrize("first", [0, 3, 5, 1000])
def test_gap_and_overlap_change_nothing(yard: Yard, first: int) -> None:
    upload = yard.begun(b"1234")
    chunk = ContentRange(first, first + 1)
    with pytest.raises(ChunkOutOfOrder) as refused:
        yard.uploads.append(PUSHER, upload.id, [b"xy"], chunk)
    assert refused.value.headers["Range"] == "0-3"
    with pytest.raises(ChunkOutOfOrder):
        yard.uploads.finish(PUSHER, upload.id, Digest.of(b"1234xy"), [b"xy"], chunk)
    yard.uploads.append(PUSHER, upload.id, [b"56"], ContentRange(4, 5))
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"123456"), [], None)


def test_a_chunk_that_is_not_as_long_as_it_says_leaves_nothing(yard: Yard) -> None:
    upload = yard.begun(b"1234")
    with pytest.raises(ChunkLength):
        yard.uploads.append(PUSHER, upload.id, [b"56"], ContentRange(4, 6))
    with pytest.raises(ChunkLength):
        yard.uploads.finish(PUSHER, upload.id, Digest.of(b"1"), [b"56"], ContentRange(4, 4))
    assert yard.uploads.status(PUSHER, upload.id).size == 4
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"123456"), [b"56"], ContentRange(4, 5))


def test_what_arrived_of_a_broken_chunk_is_kept(yard: Yard) -> None:
    upload = yard.begun(b"12")
    yard.uploads.salvage(PUSHER, upload.id, [b"34"], ContentRange(2, 9))
    assert yard.uploads.status(PUSHER, upload.id).size == 4
    yard.uploads.salvage(PUSHER, upload.id, [b"zz"], ContentRange(9, 12))
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"123456"), [b"56"], ContentRange(4, 5))


def test_size_limit(yard: Yard) -> None:
    half = b"h" * (LIMIT // 2)
    upload = yard.begun(half, half)
    with pytest.raises(BlobTooLarge):
        yard.uploads.append(PUSHER, upload.id, [b"!"], None)
    with pytest.raises(BlobTooLarge):
        yard.uploads.append(PUSHER, upload.id, [b""], ContentRange(LIMIT, LIMIT))
    with pytest.raises(BlobTooLarge):
        yard.uploads.push(PUSHER, Digest.of(b""), [half, half, b"!"])
    yard.uploads.finish(PUSHER, upload.id, Digest.of(half + half), [], None)


@pytest.mark.parametrize(
    "stranger",
    [
        replace(PUSHER, subject="user-2"),
        replace(PUSHER, repository="team/other"),
        replace(PUSHER, region="elsewhere"),
    ],
)
def test_a_session_is_known_to_who_opened_it_only(yard: Yard, stranger: Pusher) -> None:
    upload = yard.begun(CONTENT).id
    digest = Digest.of(CONTENT)
    for attempt in (
        lambda: yard.uploads.status(stranger, upload),
        lambda: yard.uploads.append(stranger, upload, [b"x"], None),
        lambda: yard.uploads.finish(stranger, upload, digest, [], None),
        lambda: yard.uploads.cancel(stranger, upload),
        lambda: yard.uploads.receive(stranger, upload, None, keeps=True),
    ):
        with pytest.raises(UploadUnknown):
            attempt()
    yard.uploads.finish(PUSHER, upload, digest, [], None)


@pytest.mark.parametrize("upload", ["", "..", "x", str(uuid.uuid4()).upper(), str(uuid.uuid4())])
def test_ids_that_were_never_given_are_unknown(yard: Yard, upload: str) -> None:
    with pytest.raises(UploadUnknown):
        yard.uploads.append(PUSHER, upload, [b"x"], None)


def test_cancelling(yard: Yard) -> None:
    upload = yard.begun(CONTENT)
    yard.uploads.cancel(PUSHER, upload.id)
    assert yard.session_files() == []
    with pytest.raises(UploadUnknown):
        yard.uploads.cancel(PUSHER, upload.id)


def test_namespaces_must_exist_until_the_end(yard: Yard) -> None:
    nowhere = replace(PUSHER, repository="nowhere/app")
    with pytest.raises(NamespaceUnknown):
        yard.uploads.open(nowhere)
    with pytest.raises(NamespaceUnknown):
        yard.uploads.push(nowhere, Digest.of(b"x"), [b"x"])
    upload = yard.begun(CONTENT)
    del yard.owners.owners["team"]
    with pytest.raises(NamespaceUnknown):
        yard.uploads.finish(PUSHER, upload.id, Digest.of(CONTENT), [], None)
    assert yard.rows()["repositories"] == 0


def test_a_namespace_that_changed_hands_takes_nothing_from_the_former_owner(yard: Yard) -> None:
    yard.uploads.push(PUSHER, Digest.of(b"old"), [b"old"])
    upload = yard.begun(CONTENT)
    yard.owners.owners["team"] = "account-9"
    with pytest.raises(NamespaceUnknown):
        yard.uploads.finish(PUSHER, upload.id, Digest.of(CONTENT), [], None)
    with pytest.raises(NamespaceUnknown):
        yard.uploads.push(PUSHER, Digest.of(CONTENT), [CONTENT])


def test_algorithms_that_cannot_be_verified(yard: Yard) -> None:
    with pytest.raises(AlgorithmUnsupported, match="md5"):
        yard.uploads.open(PUSHER, "md5")


def test_a_blob_is_seen_only_where_it_was_pushed_or_mounted(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    target = replace(PUSHER, repository="team/target")
    yard.uploads.push(PUSHER, digest, [CONTENT])
    with pytest.raises(BlobUnknown):
        yard.content(digest, "team/target")
    assert yard.uploads.mount(target, digest, []) is None
    assert yard.uploads.mount(target, digest, ["team/nothing"]) is None
    assert yard.uploads.mount(target, Digest.of(b"unknown"), ["team/app"]) is None
    mounted = yard.uploads.mount(target, digest, ["team/nothing", "team/app"])
    assert mounted is not None
    assert yard.content(digest, "team/target") == CONTENT


def test_candidates_for_a_mount_are_the_namespace_owners(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    yard.uploads.push(PUSHER, digest, [CONTENT])
    yard.uploads.push(replace(PUSHER, repository="other/app"), digest, [CONTENT])
    target = replace(PUSHER, repository="team/target")
    assert yard.uploads.candidates(target, digest, "", 5) == ["team/app"]
    assert yard.uploads.candidates(target, digest, "other/app", 5) == ["other/app"]
    assert yard.uploads.candidates(target, digest, "team/none", 5) == []


def test_the_same_blob_again_costs_no_second_copy(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    first = yard.uploads.push(PUSHER, digest, [CONTENT])
    path = yard.store.path(first.location)
    assert path is not None
    inode = path.stat().st_ino
    upload = yard.begun(CONTENT, pusher=replace(PUSHER, repository="team/second"))
    again = replace(PUSHER, repository="team/second")
    assert yard.uploads.finish(again, upload.id, digest, [], None) == first
    assert path.stat().st_ino == inode
    assert yard.session_files() == []
    assert yard.content(digest, "team/second") == CONTENT


def test_a_known_blob_whose_bytes_were_lost_is_stored_anew(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    blob = yard.uploads.push(PUSHER, digest, [CONTENT])
    path = yard.store.path(blob.location)
    assert path is not None
    path.write_bytes(b"cut")
    with pytest.raises(BlobDamaged):
        yard.content(digest)
    again = yard.uploads.push(PUSHER, digest, [CONTENT])
    assert yard.content(digest) == CONTENT
    assert yard.discarded() == [blob.location]
    yard.store.delete(again.location)
    with pytest.raises(BlobDamaged):
        yard.blobs.file(again)


def test_two_commits_of_one_digest_leave_one_blob_and_one_place_to_clear(yard: Yard) -> None:
    """Both found no row when they placed their bytes; the later one takes over."""
    digest = Digest.of(CONTENT)
    first, second = (
        Blob(str(digest), len(CONTENT), yard.store.put(digest, CONTENT).location) for _ in range(2)
    )
    for blob in (first, second):
        yard.records.link(PUSHER, ACCOUNT, blob, yard.clock(), None)
    assert yard.shown.find(REGION, PUSHER.repository, str(digest)) == second
    assert yard.discarded() == [first.location]
    assert yard.content(digest) == CONTENT


def test_deleting_a_blob(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    yard.uploads.push(PUSHER, digest, [CONTENT])
    yard.uploads.push(replace(PUSHER, repository="team/second"), digest, [CONTENT])
    yard.blobs.delete(REGION, "team/app", digest)
    with pytest.raises(BlobUnknown):
        yard.blobs.delete(REGION, "team/app", digest)
    assert yard.content(digest, "team/second") == CONTENT


def test_a_blob_that_a_manifest_needs_is_protected_in_that_repository(yard: Yard) -> None:
    digest = Digest.of(CONTENT)
    yard.uploads.push(PUSHER, digest, [CONTENT])
    yard.uploads.push(replace(PUSHER, repository="team/second"), digest, [CONTENT])
    with yard.database.writing() as connection:
        key = connection.scalar(
            repositories.select()
            .where(repositories.c.name == "team/app")
            .with_only_columns(repositories.c.id)
        )
        row = {"repository_id": key, "manifest": "sha256:m", "child": str(digest), "kind": "blob"}
        connection.execute(manifest_references.insert(), row)
    with pytest.raises(BlobReferenced):
        yard.blobs.delete(REGION, "team/app", digest)
    yard.blobs.delete(REGION, "team/second", digest)
    with yard.database.writing() as connection:
        connection.execute(manifest_references.delete())
    yard.blobs.delete(REGION, "team/app", digest)


def test_sessions_that_stood_still_are_dropped_with_what_belongs_to_none(yard: Yard) -> None:
    old = yard.begun(CONTENT)
    yard.store.writer(str(uuid.uuid4()), 0).close()
    yard.clock.now += 3601
    fresh = yard.begun(CONTENT)
    # Files have the machine's own times, which lie long before the clock of these tests.
    assert yard.uploads.expire() == 2
    assert yard.session_files() == [fresh.id]
    with pytest.raises(UploadUnknown):
        yard.uploads.status(PUSHER, old.id)
    assert yard.uploads.status(PUSHER, fresh.id).size == len(CONTENT)
    assert yard.uploads.expire() == 0


def test_bytes_lost_in_a_power_failure_are_told_not_assumed(yard: Yard) -> None:
    upload = yard.begun(CONTENT)
    with yard.store.writer(upload.id, 100):
        pass
    with pytest.raises(ChunkOutOfOrder) as refused:
        yard.uploads.append(PUSHER, upload.id, [b"next"], None)
    assert refused.value.headers["Range"] == "0-99"
    yard.uploads.append(PUSHER, upload.id, [CONTENT[100:]], ContentRange(100, len(CONTENT) - 1))
    yard.uploads.finish(PUSHER, upload.id, Digest.of(CONTENT), [], None)


def test_a_held_upload_is_busy_for_everybody_else(yard: Yard) -> None:
    upload = yard.begun(b"1")
    reception = yard.uploads.receive(PUSHER, upload.id, None, keeps=True)
    other = yard.worker()
    for attempt in (
        lambda: other.append(PUSHER, upload.id, [b"x"], None),
        lambda: other.finish(PUSHER, upload.id, Digest.of(b"1"), [], None),
        lambda: other.cancel(PUSHER, upload.id),
    ):
        with pytest.raises(UploadBusy):
            attempt()
    reception.write([b"2"])
    assert reception.pause().size == 2
    other.finish(PUSHER, upload.id, Digest.of(b"12"), [], None)


def test_a_dead_holder_is_taken_over_when_its_lease_ends(yard: Yard) -> None:
    upload = yard.begun(b"12")
    held = yard.records.acquire(PUSHER, upload.id, yard.clock(), yard.clock() + LEASE)
    yard.clock.now += LEASE - 1
    with pytest.raises(UploadBusy):
        yard.uploads.append(PUSHER, upload.id, [b"x"], None)
    yard.clock.now += 1
    yard.uploads.append(PUSHER, upload.id, [b"34"], None)
    with pytest.raises(UploadLost):
        yard.records.progress(replace(held, size=100), yard.clock(), 0)
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"1234"), [], None)


def test_a_holder_that_writes_or_renews_keeps_its_lease(yard: Yard) -> None:
    upload = yard.begun()
    reception = yard.uploads.receive(PUSHER, upload.id, None, keeps=True)
    for step in range(10):
        yard.clock.now += LEASE - 1
        reception.write([b"x"]) if step % 2 else reception.renew()
        with pytest.raises(UploadBusy):
            yard.worker().append(PUSHER, upload.id, [b"y"], None)
    assert reception.pause().size == 5


def test_a_slow_holder_that_was_overtaken_writes_nothing_more(yard: Yard) -> None:
    upload = yard.begun(b"12")
    slow = yard.uploads.receive(PUSHER, upload.id, None, keeps=True)
    yard.clock.now += LEASE
    with pytest.raises(UploadBusy):
        # Its lease has ended, but it lives: as long as it has the file open, nobody else writes.
        yard.worker().append(PUSHER, upload.id, [b"34"], None)
    with pytest.raises(UploadBusy):
        # A body that takes time takes the lease, though.
        yard.worker().receive(PUSHER, upload.id, None, keeps=True)
    slow.renew()
    with pytest.raises(UploadLost):
        slow.write([b"zombie"])
    yard.worker().append(PUSHER, upload.id, [b"34"], None)
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"1234"), [], None)


def test_a_put_that_fails_leaves_the_session_as_it_was(yard: Yard) -> None:
    upload = yard.begun(b"12")
    reception = yard.uploads.receive(PUSHER, upload.id, None, keeps=False)
    reception.write([b"half of it"])
    reception.abandon(keep=False)
    assert yard.uploads.status(PUSHER, upload.id).size == 2
    yard.uploads.finish(PUSHER, upload.id, Digest.of(b"1234"), [b"34"], None)


def test_a_put_that_dies_after_renewing_its_lease_counts_for_nothing(yard: Yard) -> None:
    upload = yard.begun(b"12")
    dying = yard.uploads.receive(PUSHER, upload.id, None, keeps=False)
    dying.write([b"half of it"])
    dying.renew()
    assert yard.uploads.status(PUSHER, upload.id).size == 2
    dying.drop()


def test_an_empty_upload_that_is_being_written_is_not_finished_behind_its_back(yard: Yard) -> None:
    upload = yard.begun()
    reception = yard.uploads.receive(PUSHER, upload.id, None, keeps=True)
    reception.write([b"arriving"])
    with pytest.raises(UploadBusy):
        yard.uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT], None)
    assert reception.pause().size == 8


def test_running_hashes_spare_a_second_reading(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = yard.begun(*[b"piece"] * 10)
    monkeypatch.setattr("wharfinger.blobstore.filesystem.pieces", None)
    digest = Digest("sha256", hashlib.sha256(b"piece" * 10).hexdigest())
    yard.uploads.finish(PUSHER, upload.id, digest, [], None)
    assert yard.rows()["blobs"] == 1
    assert yard.shown.find(REGION, PUSHER.repository, str(digest)) is not None
    assert upload.account == ACCOUNT
