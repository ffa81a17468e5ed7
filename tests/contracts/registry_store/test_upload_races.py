"""One request begins an upload session while another one ends it, at each step of the other.

Both know of a session that has no row yet. One of them is acknowledged, never both: bytes that a
client was told of stand in a session, and an ended session stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from tests.support.databases import DATABASES
from tests.support.races import Steps, stepping_through
from tests.support.registry_manifests import REGION, House
from tests.support.uploads import IDS
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import Pusher, Upload, UploadBusy, UploadLost, UploadUnknown
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.registry.tables import uploads
from wharfinger_common.digests import Digest

PUSHER = Pusher(REGION, "tenant/app", "user")
MOST_STEPS = 40
Act = Callable[["Yard", Upload], bool]


class Yard:
    """Upload records, and what requests do with them; each tells whether it was acknowledged."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.records = SqlUploadRecords(house.database, hold_owner)
        self._stored = 0

    def blob(self, upload: Upload) -> Blob:
        digest = str(Digest.of(upload.id.encode()))
        return Blob(digest, 36, f"sha256/{digest[7:9]}/{digest[7:]}")

    def rows(self) -> int:
        with self.house.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(uploads)) or 0


def acknowledges(act: Callable[[Yard, Upload], object]) -> Act:
    def told(yard: Yard, upload: Upload) -> bool:
        try:
            return act(yard, upload) is not False
        except (UploadBusy, UploadLost, UploadUnknown):
            return False

    told.__name__ = act.__name__
    return told


@acknowledges
def chunk(yard: Yard, upload: Upload) -> None:
    """A short PATCH: its bytes and the row come in one unit."""
    yard.records.progress(replace(upload, size=3), 6.0, 0.0, overtake=True)


@acknowledges
def lease(yard: Yard, upload: Upload) -> None:
    """A long PATCH: the row comes with the lease."""
    yard.records.acquire(PUSHER, upload.id, 6.0, 36.0, upload)


@acknowledges
def show(yard: Yard, upload: Upload) -> None:
    """A PUT with all the bytes."""
    yard.records.link(PUSHER, "a", yard.blob(upload), 6.0, upload)


@acknowledges
def show_stored(yard: Yard, upload: Upload) -> bool:
    """A PUT with bytes that another repository shows already."""
    return yard.records.link_stored(PUSHER, "a", yard.blob(upload).digest, 6.0, upload)


@acknowledges
def drop(yard: Yard, upload: Upload) -> bool:
    """A PUT with other bytes than its digest says."""
    return yard.records.remove(upload)


BEGINNINGS: Sequence[Act] = (chunk, lease)
ENDS: Sequence[Act] = (show, show_stored, drop)


@pytest.fixture(params=DATABASES)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    with DATABASES[request.param](tmp_path) as database:
        yield Yard(House(database))


def opening(yard: Yard, number: int) -> Upload:
    """A session that clients were told of, and that has no row yet."""
    upload = Upload(IDS.new(PUSHER, "a", 5.0 + number), "a", opening=PUSHER)
    elsewhere = Pusher(REGION, "tenant/other", "user")
    yard.records.link(elsewhere, "a", yard.blob(upload), 1.0, None)
    return upload


@pytest.mark.parametrize("end", ENDS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("begin", BEGINNINGS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("stepping", ["begins", "ends"])
def test_a_session_begins_or_ends(yard: Yard, begin: Act, end: Act, stepping: str) -> None:
    for at in range(MOST_STEPS):
        upload, told = opening(yard, at), dict[str, bool]()

        def begins(upload: Upload = upload, told: dict[str, bool] = told) -> None:
            told["begun"] = begin(yard, upload)

        def ends(upload: Upload = upload, told: dict[str, bool] = told) -> None:
            told["ended"] = end(yard, upload)

        one, other = (begins, ends) if stepping == "begins" else (ends, begins)
        steps, before = Steps(at, other), yard.rows()
        with stepping_through(yard.house.database, steps):
            one()
        if not steps.end():
            assert at > 1
            break

        assert told["begun"] is not told["ended"], (at, told)
        assert yard.rows() - before == told["begun"], (at, told)
        if told["begun"]:
            assert yard.records.find(PUSHER, upload.id) is not None
        else:
            with pytest.raises(UploadUnknown):
                yard.records.find(PUSHER, upload.id)
