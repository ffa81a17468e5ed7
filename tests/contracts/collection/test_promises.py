"""Whoever is told that a blob exists has time to use it; damaged things are as good as missing."""

import pytest
from sqlalchemy import update

from tests.support.depot import DELAY, GRACE, Depot
from tests.support.registry_manifests import REGION
from wharfinger.registry.model.blobs import BlobDamaged, BlobUnknown
from wharfinger.registry.model.collection import Reason
from wharfinger.registry.model.manifests import ManifestDamaged
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.tables import blobs, manifest_references, manifests
from wharfinger_common.digests import Digest

PLACE = Place(REGION, "tenant/app")
LAYER = b"layer"
DIGEST = Digest.of(LAYER)


def promise(depot: Depot) -> None:
    depot.reads.promise(REGION, PLACE.repository, DIGEST)


@pytest.mark.parametrize("age", [0.5, 0.74, 0.76, 0.99])
def test_a_blob_that_somebody_asked_for_stays_for_a_quarter_of_the_grace(
    depot: Depot, age: float
) -> None:
    depot.push_blob(LAYER)
    depot.now += GRACE * age
    promise(depot)
    depot.now += GRACE / 4 - 1
    depot.collect()
    depot.push_blob(b"{}")
    depot.push_manifest(LAYER)
    assert depot.shown(LAYER)


def test_asking_again_and_again_keeps_it(depot: Depot) -> None:
    depot.push_blob(LAYER)
    for _ in range(8):
        depot.now += GRACE * 0.8
        depot.collect()
        promise(depot)
    depot.now += GRACE + 1
    depot.collect()
    with pytest.raises(BlobUnknown):
        promise(depot)


def test_a_young_or_needed_blob_is_only_read(depot: Depot) -> None:
    depot.push_layers(LAYER)
    depot.push_blob(b"young")
    writes: list[object] = []
    writing = depot.database.writing

    def noted(**options: bool) -> object:
        writes.append(options)
        return writing(**options)

    depot.now += GRACE * 10
    depot.push_blob(b"young")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depot.database, "writing", noted)
        promise(depot)
        depot.reads.promise(REGION, PLACE.repository, Digest.of(b"young"))
    assert writes == []


def damage_blob(depot: Depot) -> None:
    with depot.database.writing() as connection:
        statement = update(blobs).where(blobs.c.digest == str(DIGEST))
        connection.execute(statement.values(damaged_at=int(depot.now)))


def test_a_damaged_blob_is_not_served_and_a_push_heals_it(depot: Depot) -> None:
    depot.push_layers(LAYER)
    former = depot.reads.find(REGION, PLACE.repository, DIGEST).location
    damage_blob(depot)
    for ask in (depot.reads.find, depot.reads.promise):
        with pytest.raises(BlobDamaged):
            ask(REGION, PLACE.repository, DIGEST)
    # A mount would spread it; the client is told to upload instead.
    assert not depot.mount(DIGEST, PLACE.repository, "tenant/other")
    depot.push_blob(LAYER, "tenant/other")
    assert depot.shown(LAYER)
    assert depot.shown(LAYER, "tenant/other")
    assert depot.discarded() == {former: Reason.REPLACED}
    depot.now += DELAY + 1
    depot.collect()
    assert depot.shown(LAYER)
    assert former not in depot.stored()


def test_a_damaged_blob_that_nothing_needs_goes_like_any_other(depot: Depot) -> None:
    depot.push_blob(LAYER)
    damage_blob(depot)
    depot.now += GRACE + 1
    depot.collect()
    depot.now += DELAY + 1
    depot.collect()
    assert (depot.rows(), depot.stored()) == ([], [])


def test_a_damaged_manifest_is_not_served_and_a_push_heals_it(depot: Depot) -> None:
    digest = depot.push_layers(LAYER, tag="latest")
    sound = depot.manifests.get(PLACE, digest).content
    with depot.database.writing() as connection:
        connection.execute(
            update(manifests).values(content=b"{}", media_type="application/x-y", damaged_at=1)
        )
        connection.execute(manifest_references.delete())
    for reference in (digest, "latest"):
        with pytest.raises(ManifestDamaged):
            depot.manifests.get(PLACE, reference)
        with pytest.raises(ManifestDamaged):
            depot.manifests.head(PLACE, reference)
    depot.push_manifest(LAYER)
    for reference in (digest, "latest"):
        assert depot.manifests.get(PLACE, reference).content == sound
    depot.now += GRACE + 1
    depot.collect()
    assert depot.shown(LAYER)


def test_a_sound_manifest_is_not_touched_by_another_push(depot: Depot) -> None:
    digest = depot.push_layers(LAYER)
    with depot.database.writing() as connection:
        connection.execute(update(manifests).values(pushed_at=5))
    depot.push_manifest(LAYER, tag="again")
    with depot.database.reading() as connection:
        assert connection.execute(manifests.select()).one().pushed_at == 5
    assert depot.manifests.head(PLACE, "again").digest == digest
