"""Dying at any step of a commit, and several clients ending one upload at once."""

import threading
from collections.abc import Callable

import pytest

from tests.unit.registry_uploads.yard import LEASE, PUSHER, REGION, Fuse, Killed, Yard
from wharfinger.database.errors import DatabaseUnavailable
from wharfinger.registry.model.blobs import Blob, BlobUnknown
from wharfinger.registry.model.uploads import UploadLost
from wharfinger.registry.service.uploads import Uploads
from wharfinger.registry.tables import blobs
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Refusal

CONTENT = b"a layer " * 1000
DIGEST = Digest.of(CONTENT)


def monolithic(uploads: Uploads) -> Blob:
    return uploads.push(PUSHER, DIGEST, [CONTENT])


def post_and_put(uploads: Uploads) -> Blob:
    upload = uploads.open(PUSHER)
    return uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT], None)


def chunked(uploads: Uploads) -> Blob:
    upload = uploads.open(PUSHER)
    uploads.append(PUSHER, upload.id, [CONTENT[:100]], None)
    return uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT[100:]], None)


def streamed(uploads: Uploads) -> Blob:
    upload = uploads.open(PUSHER)
    reception = uploads.receive(PUSHER, upload.id, None, keeps=False)
    try:
        reception.write([CONTENT])
    except BaseException:
        reception.abandon()
        raise
    return uploads.complete(PUSHER, reception, DIGEST, None)


WAYS: list[Callable[[Uploads], Blob]] = [monolithic, post_and_put, chunked, streamed]


@pytest.mark.parametrize("known", [False, True], ids=["new", "known elsewhere"])
@pytest.mark.parametrize("way", WAYS)
def test_dying_at_any_step_leaves_nothing_partial_and_the_same_push_succeeds(
    yard: Yard, way: Callable[[Uploads], Blob], *, known: bool
) -> None:
    way(yard.uploads)
    _unlink(yard, known=known)
    counting = Fuse()
    way(yard.restart(counting))
    linked = next(at for at, name in enumerate(counting.steps) if name.startswith("after link"))
    for step in range(len(counting.steps)):
        yard.restart()
        _unlink(yard, known=known)
        with pytest.raises(Killed):
            way(yard.restart(Fuse(step)))
        yard.restart()
        if step >= linked:
            assert yard.content(DIGEST) == CONTENT
        else:
            with pytest.raises(BlobUnknown):
                yard.content(DIGEST)
        assert way(yard.uploads).size == len(CONTENT)
        assert yard.content(DIGEST) == CONTENT


def _unlink(yard: Yard, *, known: bool) -> None:
    """Bring the yard back to before the push; ``known``: the blob is there, in no repository."""
    yard.blobs.delete(REGION, PUSHER.repository, DIGEST)
    if not known:
        for stored in yard.store.objects("", 100):
            yard.store.delete(stored.location)
        with yard.database.writing() as connection:
            connection.execute(blobs.delete())


def test_a_session_survives_the_death_of_the_request_that_wrote_it(yard: Yard) -> None:
    upload = yard.begun(CONTENT[:100])
    dying = yard.restart(Fuse(1))
    with pytest.raises(Killed):
        dying.append(PUSHER, upload.id, [CONTENT[100:]], None)
    yard.restart()
    yard.clock.now += LEASE
    stands = yard.uploads.status(PUSHER, upload.id).size
    assert stands == 100
    yard.uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT[stands:]], None)
    assert yard.content(DIGEST) == CONTENT


def test_an_upload_whose_blob_got_no_row_is_ended_once_more(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = yard.begun(CONTENT[:100])

    def away(*_: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(yard.records, "link", away)
        with pytest.raises(DatabaseUnavailable):
            yard.uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT[100:]], None)
    assert yard.uploads.status(PUSHER, upload.id).size == 100
    yard.uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT[100:]], None)
    assert yard.content(DIGEST) == CONTENT
    assert yard.session_files() == []


def together(count: int, call: Callable[[int], object]) -> list[object]:
    """Return what each of ``count`` calls at once returned or raised."""
    start = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = call(number)
        except Refusal as refusal:
            results[number] = refusal

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("begun", [0, 100])
def test_of_several_that_finish_one_upload_exactly_one_does(yard: Yard, begun: int) -> None:
    for _ in range(10):
        upload = yard.begun(CONTENT[:begun]) if begun else yard.begun()
        workers = [yard.uploads, yard.worker(), yard.worker(), yard.worker()]

        def finish(number: int, upload: str = upload.id, workers: list[Uploads] = workers) -> Blob:
            return workers[number].finish(PUSHER, upload, DIGEST, [CONTENT[begun:]], None)

        results = together(4, finish)
        finished = [result for result in results if isinstance(result, Blob)]
        refusals = [result for result in results if isinstance(result, Refusal)]
        assert len(finished) == 1
        assert len(refusals) == 3
        assert {refusal.entry.status for refusal in refusals} <= {404, 409}
        assert yard.content(DIGEST) == CONTENT
        assert yard.session_files() == []
        yard.blobs.delete(REGION, PUSHER.repository, DIGEST)


def test_of_several_that_end_one_upload_differently_one_content_is_seen(yard: Yard) -> None:
    contents = [b"one" * 1000, b"two" * 1000, b"three" * 1000]
    upload = yard.begun()

    def finish(number: int) -> Blob:
        content = contents[number]
        return yard.uploads.finish(PUSHER, upload.id, Digest.of(content), [content], None)

    results = together(3, finish)
    assert sum(isinstance(result, Blob) for result in results) == 1
    for content, result in zip(contents, results, strict=True):
        if isinstance(result, Blob):
            assert yard.content(Digest.of(content)) == content
        else:
            with pytest.raises(BlobUnknown):
                yard.content(Digest.of(content))


def test_several_that_append_at_once_never_mix(yard: Yard) -> None:
    upload = yard.begun()
    pieces = [bytes([number]) * 10_000 for number in range(6)]
    results = together(
        6, lambda number: yard.uploads.append(PUSHER, upload.id, [pieces[number]], None)
    )
    written = [number for number, result in enumerate(results) if not isinstance(result, Refusal)]
    assert written
    assert yard.uploads.status(PUSHER, upload.id).size == 10_000 * len(written)
    with yard.store.writer(upload.id, 10_000 * len(written)) as writer:
        content = b"".join(writer.read())
    blocks = {content[start : start + 10_000] for start in range(0, len(content), 10_000)}
    assert blocks == {pieces[number] for number in written}


def test_many_pushes_of_one_blob_at_once(yard: Yard) -> None:
    results = together(8, lambda number: WAYS[number % len(WAYS)](yard.uploads))
    assert all(isinstance(result, Blob) for result in results), results
    assert yard.content(DIGEST) == CONTENT
    assert yard.rows() == {"uploads": 0, "blobs": 1, "repositories": 1, "repository_blobs": 1}


def test_a_finisher_whose_session_was_taken_over_commits_nothing(yard: Yard) -> None:
    upload = yard.begun(CONTENT)
    slow = yard.uploads.receive(PUSHER, upload.id, None, keeps=False)
    yard.clock.now += LEASE
    yard.records.acquire(PUSHER, upload.id, yard.clock(), yard.clock() + LEASE)
    with pytest.raises(UploadLost):
        yard.uploads.complete(PUSHER, slow, DIGEST, None)
    with pytest.raises(BlobUnknown):
        yard.content(DIGEST)
