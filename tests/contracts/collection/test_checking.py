"""Damage of each kind is found, named, and mended or fenced; what is under way is none."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from tests.support.depot import DELAY, GRACE, ORPHAN_GRACE, Depot
from tests.support.registry_manifests import REGION, encoded, index
from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.blobstore.port import StoredObject
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.checking import BlobRow, Checked, Remedy
from wharfinger.registry.model.manifests import ManifestUnknown
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger.registry.ports.checking import Part
from wharfinger.registry.service.blob_check import merged
from wharfinger.registry.services import build_checks
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.registry.tables import (
    blobs,
    manifest_references,
    manifests,
    repositories,
    repository_blobs,
    tags,
)
from wharfinger_common.digests import Digest

PLACE = Place(REGION, "tenant/app")
LAYER = b"layer"
DIGEST = str(Digest.of(LAYER))
Damage = Callable[[Depot], None]


def parts(depot: Depot) -> list[Part]:
    existing = SqlUploadRecords(depot.database, hold_owner).existing
    checks = build_checks(
        depot.database,
        depot.bytes_store,
        grace=ORPHAN_GRACE,
        rate=1e12,
        clock=depot.clock,
        existing=existing,
    )
    return list(checks)


def check(depot: Depot, *, deep: bool = False, repair: bool = False) -> list[tuple[str, Remedy]]:
    return [(each.finding.check, each.remedy) for each in look(depot, deep=deep, repair=repair)]


def look(depot: Depot, *, deep: bool = False, repair: bool = False) -> list[Checked]:
    found = [each for part in parts(depot) for each in part(deep=deep, repair=repair)]
    for each in found:
        # Every fact that the texts name is there.
        assert each.finding.wording().message
        assert each.finding.told()["code"]
    return found


@pytest.fixture
def image(depot: Depot) -> str:
    """The digest of an image in ``tenant/app``, tagged ``latest``."""
    return depot.push_layers(LAYER, tag="latest")


def path(depot: Depot, content: bytes = LAYER) -> Path:
    with depot.database.reading() as connection:
        query = select(blobs.c.location).where(blobs.c.digest == str(Digest.of(content)))
        found = depot.bytes_store.path(connection.execute(query).scalar_one())
    assert found is not None
    return found


def change(depot: Depot, statement: object) -> None:
    with depot.database.writing() as connection:
        assert connection.execute(statement).rowcount > 0  # type: ignore[call-overload]


# --- Sound things --------------------------------------------------------------------------


def test_what_is_sound_is_no_finding(depot: Depot, image: str) -> None:
    depot.push_blob(b"unreferenced")
    listed = [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image}]
    size = len(depot.manifests.get(PLACE, image).content)
    depot.push(index({**listed[0], "size": size}), "all")
    depot.push_layers(b"other", repository="tenant/other", tag="v1")
    assert check(depot, deep=True) == []
    assert check(depot, deep=True, repair=True) == []


def test_what_is_under_way_is_no_finding(depot: Depot, image: str) -> None:
    pusher = Pusher(REGION, "tenant/app", "user")
    depot.uploads.append(pusher, depot.uploads.open(pusher).id, [b"some"], None)
    depot.bytes_store.put(Digest.of(b"placed, not linked yet"), b"placed, not linked yet")
    with depot.bytes_store.writer("0" * 8 + "-0000" * 3 + "-" + "0" * 12, 0) as writer:
        writer.write(b"a young one without a session")
    # Removed, its bytes to be deleted after the delay.
    gone = depot.push_layers(b"gone", repository="tenant/other")
    depot.manifests.delete(Place(REGION, "tenant/other"), gone)
    depot.collect()
    assert check(depot) == []


def test_what_goes_while_it_is_looked_at_is_no_finding(
    depot: Depot, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing shows a blob that is deleted, with its bytes, before it is looked at."""
    blob = depot.push_blob(b"on its way out")
    objects = depot.bytes_store.objects

    def listing(after: str, limit: int) -> list[StoredObject]:
        found = list(objects(after, limit))
        monkeypatch.setattr(depot.bytes_store, "objects", objects)
        if not after:
            depot.reads.delete(REGION, "tenant/app", blob)
            depot.collect()
            depot.now += DELAY + 1
            depot.collect()
            found = [each for each in found if blob.hex not in each.location]
        return found

    monkeypatch.setattr(depot.bytes_store, "objects", listing)
    assert check(depot) == []
    assert len(depot.stored()) == 2


def test_rows_and_objects_are_matched_by_location() -> None:
    rows = [BlobRow(name, 1, name, damaged=False) for name in "bcdf"]
    objects = [StoredObject(name, 1, 0.0) for name in "acefg"]
    pairs = [
        (row and row.location, stored and stored.location)
        for row, stored in merged(iter(rows), iter(objects))
    ]
    assert pairs == [
        (None, "a"),
        ("b", None),
        ("c", "c"),
        ("d", None),
        (None, "e"),
        ("f", "f"),
        (None, "g"),
    ]


# --- Damaged blobs -------------------------------------------------------------------------


def remove(depot: Depot) -> None:
    path(depot).unlink()


def cut(depot: Depot) -> None:
    path(depot).write_bytes(LAYER[:2])


def corrupt(depot: Depot) -> None:
    path(depot).write_bytes(LAYER[::-1])


@pytest.mark.parametrize(
    ("damage", "name", "deep"),
    [
        (remove, "blob-missing", False),
        (cut, "blob-size", False),
        (corrupt, "blob-digest", True),
    ],
)
def test_damaged_bytes_are_found_fenced_and_healed(
    depot: Depot, image: str, damage: Damage, name: str, deep: bool
) -> None:
    damage(depot)
    ((found),) = look(depot, deep=deep)
    assert (found.finding.check, found.remedy) == (name, Remedy.NONE)
    assert "tenant/app" in found.finding.wording().message
    assert check(depot, deep=deep, repair=True) == [(name, Remedy.FENCED)]
    # It waits; repairing again changes nothing.
    for repair in (False, True):
        assert check(depot, deep=deep, repair=repair) == [("blob-fenced", Remedy.NONE)]
    assert depot.push_blob(LAYER)
    assert check(depot, deep=True) == []
    assert depot.shown(LAYER)
    depot.now += GRACE + DELAY
    depot.collect()
    assert check(depot, deep=True) == []
    assert depot.manifests.get(PLACE, image).digest == image


def test_other_content_of_the_same_length_shows_by_its_seal(depot: Depot, image: str) -> None:
    corrupt(depot)
    assert check(depot) == [("blob-digest", Remedy.NONE)]


def test_a_file_that_was_written_to_but_is_right_is_no_finding(depot: Depot, image: str) -> None:
    path(depot).write_bytes(LAYER)
    assert check(depot) == []
    # It bears its seal again, so that no reader has to look.
    assert [each.seal for each in depot.bytes_store.objects("", 100)] == ["", ""]


def test_bytes_that_rot_need_a_deep_look(depot: Depot, image: str) -> None:
    before = path(depot).stat()
    corrupt(depot)
    os.utime(path(depot), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert check(depot) == []
    assert check(depot, deep=True) == [("blob-digest", Remedy.NONE)]


def test_a_restored_file_is_served_again(depot: Depot, image: str) -> None:
    path(depot).write_bytes(b"x")
    check(depot, repair=True)
    path(depot).write_bytes(LAYER)
    assert check(depot) == [("blob-fenced", Remedy.NONE)]
    assert check(depot, repair=True) == [("blob-fenced", Remedy.RELEASED)]
    assert check(depot, deep=True) == []
    assert depot.shown(LAYER)


def test_a_blob_that_is_healed_while_it_is_read_is_not_fenced(
    depot: Depot, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove(depot)
    opened = depot.bytes_store.open

    def healing(location: str, *more: int) -> object:
        try:
            return opened(location, *more)
        finally:
            with monkeypatch.context() as patch:
                patch.setattr(depot.bytes_store, "open", opened)
                depot.push_blob(LAYER)

    monkeypatch.setattr(depot.bytes_store, "open", healing)
    assert check(depot, repair=True) == []
    assert depot.shown(LAYER)


def test_bytes_that_cannot_be_read_are_told_from_a_store_that_is_away(
    depot: Depot, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise StoreUnavailable(part="blob store") from OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(depot.bytes_store, "open", failing)
        found = look(depot, deep=True)
        assert {each.finding.check for each in found} == {"blob-unreadable"}
        assert "Input/output error" in found[0].finding.wording().message
        patch.setattr(depot.bytes_store, "check", failing)
        with pytest.raises(StoreUnavailable):
            check(depot, deep=True)


# --- Things in the store that belong to nothing --------------------------------------------


def test_old_bytes_without_a_blob_are_found_and_removed(depot: Depot, image: str) -> None:
    location = depot.bytes_store.put(Digest.of(b"orphan"), b"orphan").location
    depot.now += ORPHAN_GRACE + 60
    assert check(depot) == [("bytes-orphaned", Remedy.NONE)]
    assert check(depot, repair=True) == [("bytes-orphaned", Remedy.REMOVED)]
    assert check(depot) == []
    depot.now += DELAY + 1
    depot.collect()
    assert location not in depot.stored()


def test_half_written_uploads_without_a_session_are_found_and_removed(depot: Depot) -> None:
    pusher = Pusher(REGION, "tenant/app", "user")
    alive = depot.uploads.open(pusher).id
    depot.uploads.append(pusher, alive, [b"some"], None)
    dead = "0" * 8 + "-0000" * 3 + "-" + "0" * 12
    with depot.bytes_store.writer(dead, 0) as writer:
        writer.write(b"half")
    depot.now += ORPHAN_GRACE + 60
    (found,) = look(depot)
    assert found.finding.facts == {"upload": dead}
    assert check(depot, repair=True) == [("upload-orphaned", Remedy.REMOVED)]
    assert check(depot) == []
    assert depot.uploads.status(pusher, alive).size == 4


# --- Manifests -----------------------------------------------------------------------------


def spoil(depot: Depot, repository: str = "tenant/app") -> None:
    with depot.database.writing() as connection:
        connection.execute(
            update(manifests)
            .where(manifests.c.id == _key(connection, repository))
            .values(content=b'{"schemaVersion": 2}')
        )


def _key(connection: Connection, repository: str) -> int:
    from wharfinger.registry.tables import repositories

    query = (
        select(manifests.c.id)
        .join(repositories, repositories.c.id == manifests.c.repository_id)
        .where(repositories.c.name == repository)
    )
    return int(connection.execute(query).scalar_one())


def test_a_corrupt_manifest_is_fenced_and_healed_by_a_push(depot: Depot, image: str) -> None:
    spoil(depot)
    assert check(depot) == [("manifest-digest", Remedy.NONE)]
    assert check(depot, repair=True) == [("manifest-digest", Remedy.FENCED)]
    assert check(depot, repair=True) == [("manifest-fenced", Remedy.NONE)]
    depot.push_manifest(LAYER)
    assert check(depot) == []
    assert depot.manifests.get(PLACE, "latest").digest == image


def test_a_corrupt_manifest_is_taken_from_a_repository_that_has_it(
    depot: Depot, image: str
) -> None:
    sound = depot.manifests.get(PLACE, image).content
    depot.push_layers(LAYER, repository="tenant/other")
    spoil(depot)
    assert check(depot, repair=True) == [("manifest-digest", Remedy.RESTORED)]
    assert check(depot) == []
    assert depot.manifests.get(PLACE, "latest").content == sound


def test_a_lost_link_is_made_again_while_the_blob_is_there(depot: Depot, image: str) -> None:
    depot.push_layers(LAYER, repository="tenant/other")
    where = (
        repository_blobs.c.repository_id
        == select(manifests.c.repository_id)
        .where(manifests.c.digest == image)
        .limit(1)
        .scalar_subquery()
    )
    change(depot, delete(repository_blobs).where(where, repository_blobs.c.digest == DIGEST))
    assert check(depot) == [("manifest-child", Remedy.NONE)]
    assert check(depot, repair=True) == [("manifest-child", Remedy.RELINKED)]
    assert check(depot) == []
    assert depot.shown(LAYER)
    assert depot.shown(LAYER, "tenant/other")


def test_a_manifest_whose_blob_is_gone_can_only_be_pushed_again(depot: Depot, image: str) -> None:
    change(depot, delete(repository_blobs).where(repository_blobs.c.digest == DIGEST))
    change(depot, delete(blobs).where(blobs.c.digest == DIGEST))
    assert check(depot, repair=True) == [("manifest-child", Remedy.NONE)]
    depot.push_layers(LAYER)
    assert check(depot) == []


def test_a_listed_manifest_is_copied_from_another_repository_of_the_account(
    depot: Depot, image: str
) -> None:
    content = depot.manifests.get(PLACE, image).content
    kind = "application/vnd.oci.image.manifest.v1+json"
    document = index({"mediaType": kind, "digest": image, "size": len(content)})
    depot.push(document, "all")
    depot.push_layers(LAYER, repository="tenant/other")
    with depot.database.writing() as connection:
        own = select(repositories.c.id).where(repositories.c.name == PLACE.repository)
        here = manifests.c.repository_id == connection.execute(own).scalar_one()
        connection.execute(delete(manifests).where(here, manifests.c.digest == image))
    found = {each.finding.check: each.remedy for each in look(depot, repair=True)}
    assert found == {"manifest-child": Remedy.COPIED}
    assert check(depot, deep=True) == []
    assert depot.manifests.get(PLACE, image).content == content
    assert depot.shown(LAYER)


def test_an_index_whose_image_is_gone_is_told(depot: Depot, image: str) -> None:
    content = depot.manifests.get(PLACE, image).content
    child = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": image,
        "size": len(content),
    }
    document = index(child)
    depot.push(document, "all")
    # Not even those are looked at who have it in another account.
    change(depot, delete(manifests).where(manifests.c.digest == image))
    found = {each.finding.check: each for each in look(depot, repair=True)}
    assert set(found) == {"manifest-child", "tag-dangling", "references-stray"}
    facts = found["manifest-child"].finding.facts
    assert (facts["digest"], facts["child"]) == (str(Digest.of(encoded(document))), image)
    assert found["tag-dangling"].remedy is Remedy.REMOVED
    assert found["references-stray"].remedy is Remedy.REMOVED
    with pytest.raises(ManifestUnknown):
        depot.manifests.get(PLACE, "latest")


def lose_a_reference(depot: Depot) -> None:
    change(depot, delete(manifest_references).where(manifest_references.c.child == DIGEST))


def gain_a_reference(depot: Depot) -> None:
    other = depot.push_blob(b"foreign")
    with depot.database.writing() as connection:
        row = connection.execute(manifest_references.select().limit(1)).one()._asdict()
        connection.execute(insert(manifest_references), row | {"child": str(other)})


def turn_a_reference(depot: Depot) -> None:
    statement = update(manifest_references).where(manifest_references.c.child == DIGEST)
    change(depot, statement.values(kind="manifest"))


@pytest.mark.parametrize("damage", [lose_a_reference, gain_a_reference, turn_a_reference])
def test_wrong_references_are_written_anew(depot: Depot, image: str, damage: Damage) -> None:
    damage(depot)
    assert check(depot) == [("references", Remedy.NONE)]
    assert check(depot, repair=True) == [("references", Remedy.REWRITTEN)]
    assert check(depot) == []
    depot.now += GRACE + 1
    depot.collect()
    assert depot.shown(LAYER)
    assert not depot.shown(b"foreign")


def test_a_tag_that_leads_nowhere_is_found_and_removed(depot: Depot, image: str) -> None:
    statement = update(tags).values(digest=str(Digest.of(b"no manifest")))
    change(depot, statement)
    assert check(depot) == [("tag-dangling", Remedy.NONE)]
    assert check(depot, repair=True) == [("tag-dangling", Remedy.REMOVED)]
    assert check(depot) == []
    assert depot.manifests.get(PLACE, image).digest == image
