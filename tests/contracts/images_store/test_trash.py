"""The trash on every database: what it keeps, what it drops first, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from tests.support.registry_manifests import LIMITS, REGION, House, encoded, image, index
from wharfinger.audit.store import record
from wharfinger.database.schema import images as tables
from wharfinger.database.schema import registry
from wharfinger.identity.model import Caller, Visibility
from wharfinger.images.model.names import ImageName
from wharfinger.images.model.trash import DAY, NotInTrash, PartGone, days_left
from wharfinger.images.service.doors import Doors
from wharfinger.images.service.trash import Trash, TrashKeeping
from wharfinger.images.store.images import SqlImageStore
from wharfinger.images.store.trash import Bin, SqlTrashUpkeep, kept_in_trash
from wharfinger.jobs.model import Job
from wharfinger.namespaces.model import Namespace
from wharfinger.namespaces.store import hold_owner, is_deleting
from wharfinger.registry.service.manifests import Manifests
from wharfinger.registry.store.collection import SqlCollectionRecords
from wharfinger.registry.store.manifests import SqlManifestStore

CALLER = Caller("user", "a", "", region=REGION)
DAYS = 30


class Open:
    """Everybody may do everything."""

    def require(self, *_: object) -> None:
        pass

    def require_anywhere(self, *_: object) -> None:
        pass

    def visible_namespaces(self, caller: Caller, roles: object) -> Visibility:
        return Visibility(frozenset({caller.account}), frozenset())

    def active(self, region: str, account: str) -> list[Namespace]:
        return [Namespace(region, "tenant", account, 0, 0)]

    def owner(self, region: str, namespace: str) -> str | None:
        return "a"


@dataclass
class Lease:
    job: Job
    kept: int = 0

    def keep(self) -> None:
        self.kept += 1


@dataclass
class Dump:
    """A house whose deleted manifests go to the trash."""

    house: House
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        house = self.house
        retire = Bin(lambda: house.now, self._enqueue, DAYS).keep
        manifests = SqlManifestStore(house.database, hold_owner, retire)
        self.manifests = Manifests(manifests, house, house.configs, LIMITS, lambda: house.now)
        self.store = SqlImageStore(
            house.database,
            hold_namespace=hold_owner,
            record=record,
            clock=lambda: house.now,
            retire=retire,
        )
        doors = Doors(Open(), Open())
        self.trash = Trash(self.store, doors, lambda: house.now, days=DAYS, most=1000)

    def keeping(self, most: int = 10**9) -> TrashKeeping:
        upkeep = SqlTrashUpkeep(self.house.database, is_deleting)
        return TrashKeeping(upkeep, lambda: self.house.now, days=DAYS, most=most)

    def delete(self, digest: str) -> None:
        self.manifests.delete(self.house.place, digest)

    def kept(self) -> list[str]:
        with self.house.database.reading() as connection:
            query = select(tables.trash.c.digest).order_by(tables.trash.c.id)
            return list(connection.scalars(query))

    def unneeded(self) -> set[str]:
        records = SqlCollectionRecords(self.house.database, (kept_in_trash,))
        return set(records.unlinked_blobs("", 1000, 1000).found)

    def restore(self, digest: str) -> None:
        name = ImageName(REGION, self.house.place.repository, digest=digest)
        self.trash.restore_tags(CALLER, name, "shown")

    def _enqueue(self, connection: Connection, kind: str, subject: str, payload: Any) -> None:
        self.asked.append((kind, subject))


@pytest.fixture
def dump(house: House) -> Dump:
    return Dump(house)


def trim(dump: Dump, most: int) -> None:
    job = Job(1, "trim-trash", f"{REGION}/a", {"region": REGION, "account": "a"})
    dump.keeping(most).trim(Lease(job))


def test_the_trash_keeps_blobs_from_being_collected(dump: Dump) -> None:
    pushed = dump.house.push_image(b"layer", "v1")
    dump.delete(pushed["digest"])
    assert dump.house.visible_blobs() == set()
    assert dump.unneeded() == set()
    assert dump.asked == [("trim-trash", f"{REGION}/a")]
    dump.house.now += DAYS * DAY
    dump.keeping().expire(Lease(Job(1, "expire-trash", "")))
    assert dump.kept() == []
    assert len(dump.unneeded()) == 2


def test_an_image_leaves_the_trash_on_its_day_and_is_not_restored_then(dump: Dump) -> None:
    pushed = dump.house.push_image(b"layer", "v1")
    dump.delete(pushed["digest"])
    dump.house.now += DAYS * DAY - 1
    dump.keeping().expire(Lease(Job(1, "expire-trash", "")))
    entries = dump.trash.list(CALLER, "", None, ("", "")).entries
    assert [(one.digest, days) for one, days in entries] == [(pushed["digest"], 1)]
    dump.house.now += 1
    assert dump.trash.list(CALLER, "", None, ("", "")).entries == []
    with pytest.raises(NotInTrash):
        dump.restore(pushed["digest"])


@pytest.mark.parametrize(
    ("most", "left"), [(33, 3), (32, 2), (24, 2), (23, 1), (15, 1), (14, 0), (0, 0)]
)
def test_beyond_the_cap_the_longest_deleted_go_and_shared_blobs_count_once(
    dump: Dump, most: int, left: int
) -> None:
    house = dump.house
    house.add_blob(b"{}", "x/y")
    shared = house.add_blob(b"shared")
    digests = []
    for name in (b"own-one99", b"own-two99", b"own-thr"):
        document = image(shared, house.add_blob(name))
        digests.append(house.push(document).digest)
    for digest in digests:
        dump.delete(digest)
    # The last has the empty config (2), shared (6) and 7 of its own; each other one 9.
    trim(dump, most)
    assert dump.kept() == digests[3 - left :]


def test_what_an_index_lists_must_be_there_or_in_the_trash(dump: Dump) -> None:
    child = dump.house.push_image(b"child")
    parent = dump.house.push(index(child), "multi").digest
    dump.delete(parent)
    dump.delete(child["digest"])
    with dump.house.database.writing() as connection:
        connection.execute(
            update(tables.trash)
            .where(tables.trash.c.digest == child["digest"])
            .values(deleted_at=0)
        )
    with pytest.raises(PartGone):
        dump.restore(parent)
    assert dump.house.visible_blobs() == set()
    assert len(dump.kept()) == 2


def test_many_levels_that_list_the_same_are_restored_once_each(dump: Dump) -> None:
    house = dump.house
    level = [house.push_image(name)["digest"] for name in (b"a", b"b")]
    digests = list(level)
    with house.database.reading() as connection:
        query = select(registry.manifests.c.digest, registry.manifests.c.content)
        sizes = {digest: len(content) for digest, content in connection.execute(query)}
    for number in range(12):
        listed = [
            {
                "mediaType": "application/vnd.oci.image.index.v1+json"
                if number
                else "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": sizes[digest],
            }
            for digest in level
        ]
        level = []
        for side in "ab":
            document = index(*listed, annotations={"side": side, "level": str(number)})
            pushed = house.push(document)
            sizes[pushed.digest] = len(encoded(document))
            level.append(pushed.digest)
        digests += level
    for digest in reversed(digests):
        dump.delete(digest)
    assert len(dump.kept()) == 26
    dump.restore(level[0])
    assert len(dump.kept()) == 1


def test_the_end_of_a_namespace_takes_its_trash(dump: Dump) -> None:
    pushed = dump.house.push_image(b"layer", "v1")
    dump.delete(pushed["digest"])
    keeping = dump.keeping()
    assert keeping.remaining(REGION, "tenant") == 1
    assert keeping.run(REGION, "tenant"), "it is not being deleted: nothing is done"
    assert dump.kept() == [pushed["digest"]]
    dump.house.end_namespace("tenant")
    assert not keeping.run(REGION, "tenant")
    assert keeping.run(REGION, "tenant")
    assert dump.kept() == []


def test_damaged_manifests_are_not_kept(dump: Dump) -> None:
    pushed = dump.house.push_image(b"layer", "v1")
    with dump.house.database.writing() as connection:
        connection.execute(update(registry.manifests).values(damaged_at=1))
    dump.delete(pushed["digest"])
    assert dump.kept() == []


@pytest.mark.parametrize(
    ("age", "left"), [(0, 30), (1, 30), (DAY, 29), (DAY + 1, 29), (30 * DAY, 0), (31 * DAY, 0)]
)
def test_days_are_rounded_up(age: int, left: int) -> None:
    assert days_left(1_000_000, 30, 1_000_000 + age) == left
