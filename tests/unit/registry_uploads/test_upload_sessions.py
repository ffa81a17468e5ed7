"""Sessions begin with their first bytes and end once: nothing is written down to open one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.support.uploads import IDS
from tests.unit.registry_uploads.yard import ACCOUNT, LEASE, PUSHER, Fuse, Killed, Yard
from wharfinger.registry.model.uploads import Upload, UploadBusy, UploadLost, UploadUnknown
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Refusal

CONTENT = b"a layer " * 1000
DIGEST = Digest.of(CONTENT)


def used(yard: Yard, upload: str) -> list[Callable[[], object]]:
    """Every way to use a session."""
    uploads = yard.uploads
    return [
        lambda: uploads.status(PUSHER, upload),
        lambda: uploads.append(PUSHER, upload, [b"x"], None),
        lambda: uploads.receive(PUSHER, upload, None, keeps=True),
        lambda: uploads.finish(PUSHER, upload, DIGEST, [CONTENT], None),
        lambda: uploads.finish(PUSHER, upload, DIGEST, [], None),
        lambda: uploads.cancel(PUSHER, upload),
    ]


def test_to_open_one_writes_nothing(yard: Yard) -> None:
    upload = yard.uploads.open(PUSHER)
    assert yard.rows()["uploads"] == 0
    assert yard.session_files() == []
    assert yard.uploads.status(PUSHER, upload.id).size == 0


def test_it_begins_in_another_process(yard: Yard) -> None:
    upload = yard.uploads.open(PUSHER)
    yard.worker().append(PUSHER, upload.id, [CONTENT], None)
    yard.restart()
    yard.uploads.finish(PUSHER, upload.id, DIGEST, [], None)
    assert yard.content(DIGEST) == CONTENT


def finished(yard: Yard) -> Upload:
    upload = yard.begun(CONTENT)
    yard.uploads.finish(PUSHER, upload.id, DIGEST, [], None)
    return upload


def finished_at_once(yard: Yard) -> Upload:
    upload = yard.uploads.open(PUSHER)
    yard.uploads.finish(PUSHER, upload.id, DIGEST, [CONTENT], None)
    return upload


def cancelled(yard: Yard) -> Upload:
    upload = yard.uploads.open(PUSHER)
    yard.uploads.cancel(PUSHER, upload.id)
    return upload


def of_another_content(yard: Yard) -> Upload:
    upload = yard.uploads.open(PUSHER)
    with pytest.raises(Refusal):
        yard.uploads.finish(PUSHER, upload.id, DIGEST, [b"other"], None)
    return upload


@pytest.mark.parametrize("end", [finished, finished_at_once, cancelled, of_another_content])
def test_one_that_ended_does_not_begin_again(yard: Yard, end: Callable[[Yard], Upload]) -> None:
    upload = end(yard)
    yard.restart()
    for use in used(yard, upload.id):
        with pytest.raises(UploadUnknown):
            use()
    assert yard.session_files() == []
    assert yard.rows()["uploads"] == 0


def test_it_is_unknown_when_its_time_is_over(yard: Yard) -> None:
    late, begun = yard.uploads.open(PUSHER), yard.begun(CONTENT)
    yard.clock.now += IDS.seconds
    for use in used(yard, late.id):
        with pytest.raises(UploadUnknown):
            use()
    yard.uploads.finish(PUSHER, begun.id, DIGEST, [], None)


def test_what_ended_is_forgotten_when_it_could_not_begin_any_more(yard: Yard) -> None:
    upload = finished(yard)
    assert yard.uploads.expire() == 0
    assert yard.ended() == 1
    yard.clock.now += 2 * IDS.seconds + 1
    assert yard.uploads.expire() == 1
    assert yard.ended() == 0
    with pytest.raises(UploadUnknown):
        yard.uploads.append(PUSHER, upload.id, [b"x"], None)


def test_a_namespace_that_changed_hands_has_no_sessions_of_before(yard: Yard) -> None:
    upload = yard.uploads.open(PUSHER)
    yard.owners.owners["team"] = "account-2"
    for use in used(yard, upload.id):
        with pytest.raises(UploadUnknown):
            use()


def test_a_namespace_that_is_gone_has_none(yard: Yard) -> None:
    upload = yard.uploads.open(PUSHER)
    del yard.owners.owners["team"]
    for use in used(yard, upload.id):
        with pytest.raises(UploadUnknown):
            use()


def test_ids_for_somebody_else_are_unknown(yard: Yard) -> None:
    stranger = replace(PUSHER, subject="user-2")
    for use in used(yard, IDS.new(stranger, ACCOUNT, yard.clock.now)):
        with pytest.raises(UploadUnknown):
            use()


@pytest.mark.parametrize("step", range(4))
def test_first_bytes_after_a_crash_with_the_first_bytes(yard: Yard, step: int) -> None:
    upload = yard.uploads.open(PUSHER)
    fuse = Fuse(step)
    with contextlib.suppress(Killed):
        yard.restart(fuse).append(PUSHER, upload.id, [b"lost in the crash"], None)
    uploads = yard.restart()
    yard.clock.now += LEASE + 1

    stands = uploads.status(PUSHER, upload.id)

    if stands.size:
        uploads.cancel(PUSHER, upload.id)
        upload = uploads.open(PUSHER)
    uploads.append(PUSHER, upload.id, [CONTENT], None)
    uploads.finish(PUSHER, upload.id, DIGEST, [], None)
    assert yard.content(DIGEST) == CONTENT


def test_of_two_that_begin_it_at_once_one_does(yard: Yard) -> None:
    for turn in range(20):
        upload = yard.uploads.open(PUSHER)
        content = b"%d " % turn * 1000
        start, ends = threading.Barrier(2), list[str]()

        def begin(
            worker: int,
            upload: Upload = upload,
            content: bytes = content,
            start: threading.Barrier = start,
            ends: list[str] = ends,
        ) -> None:
            uploads = yard.worker()
            start.wait()
            try:
                uploads.append(PUSHER, upload.id, [content], None)
                ends.append("written")
            except (UploadBusy, UploadLost) as refusal:
                ends.append(type(refusal).__name__)

        threads = [threading.Thread(target=begin, args=(worker,)) for worker in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        times = ends.count("written")
        assert times
        assert yard.uploads.status(PUSHER, upload.id).size == times * len(content)
        digest = Digest.of(content * times)
        yard.uploads.finish(PUSHER, upload.id, digest, [], None)
        assert yard.content(digest) == content * times
