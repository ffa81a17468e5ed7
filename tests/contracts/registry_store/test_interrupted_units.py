"""Pushes on PostgreSQL whose commits are done but never answered: done once, and told so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from tests.support.databases import postgresql_database
from tests.support.registry_manifests import EMPTY, REGION, House, encoded, image
from tests.support.uploads import IDS
from wharfinger.database import postgres
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.manifests import ManifestUnknown
from wharfinger.registry.model.uploads import Pusher, Upload, UploadBusy, UploadLost, UploadUnknown
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger_common.digests import Digest

PUSHER = Pusher(REGION, "tenant/app", "user")


class Line:
    """The connection to the database, which breaks at the next commit: after it, or before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._done = ""
        self._commit = postgres._commit
        monkeypatch.setattr(postgres, "_commit", self._committing)

    def breaks(self, moment: str) -> None:
        self._done = moment

    def _committing(self, driver: psycopg.Connection) -> None:
        moment, self._done = self._done, ""
        if moment == "after":
            self._commit(driver)
        if moment:
            driver.close()
            raise psycopg.OperationalError("the connection is lost")
        self._commit(driver)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with postgresql_database(tmp_path) as database:
        yield House(database)


@pytest.fixture
def records(house: House) -> SqlUploadRecords:
    return SqlUploadRecords(house.database, hold_owner)


@pytest.fixture(params=["before", "after"])
def moment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def opening() -> Upload:
    """A session that has been told to a client and has no row yet."""
    return Upload(IDS.new(PUSHER, "a", 5.0), "a", opening=PUSHER)


def begun(records: SqlUploadRecords) -> Upload:
    """A session with its row, which nobody holds."""
    upload = opening()
    records.progress(upload, 5.0, 0.0)
    return found(records, upload)


def found(records: SqlUploadRecords, upload: Upload) -> Upload:
    row = records.find(PUSHER, upload.id)
    assert row is not None
    return row


def test_a_session_begins_with_its_first_bytes(
    records: SqlUploadRecords, line: Line, moment: str
) -> None:
    upload = opening()
    assert records.find(PUSHER, upload.id) is None
    line.breaks(moment)
    records.progress(replace(upload, size=3), 5.0, 0.0)
    assert found(records, upload).size == 3


def test_a_session_begins_with_a_lease(records: SqlUploadRecords, line: Line, moment: str) -> None:
    upload = opening()
    line.breaks(moment)
    held = records.acquire(PUSHER, upload.id, 10.0, 40.0, upload)
    records.progress(held, 11.0, 41.0)
    with pytest.raises(UploadBusy):
        records.acquire(PUSHER, upload.id, 12.0, 42.0, upload)


def test_a_lease_is_the_callers_own(records: SqlUploadRecords, line: Line, moment: str) -> None:
    upload = begun(records)
    line.breaks(moment)
    held = records.acquire(PUSHER, upload.id, 10.0, 40.0)
    records.progress(held, 11.0, 41.0)
    with pytest.raises(UploadBusy):
        records.acquire(PUSHER, upload.id, 12.0, 42.0)


def test_a_lease_of_somebody_else_stays_so(records: SqlUploadRecords, line: Line) -> None:
    upload = begun(records)
    records.acquire(PUSHER, upload.id, 10.0, 40.0)
    line.breaks("before")
    with pytest.raises(UploadBusy):
        records.acquire(PUSHER, upload.id, 12.0, 42.0)


def test_bytes_are_acknowledged(records: SqlUploadRecords, line: Line, moment: str) -> None:
    held = records.acquire(PUSHER, begun(records).id, 10.0, 40.0)
    line.breaks(moment)
    records.progress(held, 11.0, 0.0)
    assert found(records, held).leased_until == 0.0


def test_a_session_is_ended(records: SqlUploadRecords, line: Line, moment: str) -> None:
    upload = begun(records)
    line.breaks(moment)
    assert records.remove(upload)
    with pytest.raises(UploadUnknown):
        records.find(PUSHER, upload.id)
    assert not records.remove(upload)


@pytest.mark.parametrize("first", [False, True], ids=["begun", "unbegun"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_blob_is_shown_and_its_session_ended(
    house: House, records: SqlUploadRecords, line: Line, moment: str, stored: bool, first: bool
) -> None:
    blob = Blob(str(Digest.of(b"four")), 4, "somewhere")
    if stored:
        records.link(Pusher(REGION, "tenant/other", "user"), "a", blob, 1.0, None)
    upload = opening() if first else begun(records)
    line.breaks(moment)
    if stored:
        assert records.link_stored(PUSHER, "a", blob.digest, 2.0, upload)
    else:
        records.link(PUSHER, "a", blob, 2.0, upload)
    assert blob.digest in house.visible_blobs()
    with pytest.raises(UploadUnknown):
        records.find(PUSHER, upload.id)


def test_an_ended_session_does_not_begin_again(records: SqlUploadRecords) -> None:
    blob = Blob(str(Digest.of(b"four")), 4, "somewhere")
    upload = opening()
    records.link(PUSHER, "a", blob, 2.0, upload)
    with pytest.raises(UploadLost):
        records.link(PUSHER, "a", blob, 3.0, upload)
    with pytest.raises(UploadUnknown):
        records.progress(upload, 3.0, 0.0)
    with pytest.raises(UploadUnknown):
        records.acquire(PUSHER, upload.id, 3.0, 33.0, upload)


def test_whoever_begins_a_session_first_has_it(records: SqlUploadRecords) -> None:
    blob = Blob(str(Digest.of(b"four")), 4, "somewhere")
    upload = opening()
    records.acquire(PUSHER, upload.id, 5.0, 35.0, upload)
    with pytest.raises(UploadLost):
        records.progress(replace(upload, size=3), 6.0, 0.0, overtake=True)
    with pytest.raises(UploadLost):
        records.link(PUSHER, "a", blob, 6.0, upload)


def test_a_session_that_another_request_took_is_not_ended(
    records: SqlUploadRecords, line: Line
) -> None:
    """Whatever happened to the first commit: the fence tells."""
    blob = Blob(str(Digest.of(b"four")), 4, "somewhere")
    stale = begun(records)
    records.acquire(PUSHER, stale.id, 10.0, 40.0)
    line.breaks("before")
    with pytest.raises(UploadLost):
        records.link(PUSHER, "a", blob, 2.0, stale)


def test_a_manifest_is_pushed(house: House, line: Line, moment: str) -> None:
    house.add_blob(b"{}", EMPTY)
    document = image(house.add_blob(b"layer"))
    line.breaks(moment)
    house.push(document, "v1")
    assert house.manifests.get(house.place, "v1").content == encoded(document)


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_deletion_is_told_even_if_nobody_heard_the_first_answer(
    house: House, line: Line, moment: str, by: str
) -> None:
    digest = house.push_image(b"x", "v1")["digest"]
    reference = {"tag": "v1", "digest": digest}[by]
    line.breaks(moment)
    house.manifests.delete(house.place, reference)
    with pytest.raises(ManifestUnknown):
        house.manifests.delete(house.place, reference)
