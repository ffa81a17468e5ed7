"""Several clients at once: every outcome is one of the valid ones, never a mix."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from sqlalchemy import func, select

from tests.support.registry_manifests import EMPTY, House, descriptor, encoded, image, index
from wharfinger.database.schema import registry as tables
from wharfinger.registry.model.manifests import (
    OCI_MANIFEST,
    ManifestReferenced,
    ManifestUnknown,
    ReferencesUnknown,
)
from wharfinger_common.digests import Digest

T = TypeVar("T")
ROUNDS = 20


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Run the calls in threads that start together; return what they return, in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def count(house: House, table: object) -> int:
    with house.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_one_tag_pushed_by_many_leads_to_one_of_them(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    documents = [image(house.add_blob(bytes([number]))) for number in range(4)]
    for _ in range(ROUNDS):
        pushed = at_once(
            *(lambda document=document: house.push(document, "latest") for document in documents)
        )
        found = house.manifests.get(house.place, "latest")
        assert found.digest in {each.digest for each in pushed}
        assert found.content in [encoded(document) for document in documents]
    for document in documents:
        house.manifests.get(house.place, str(Digest.of(encoded(document))))


def test_one_manifest_pushed_by_many_is_there_once(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    document = image(house.add_blob(b"layer"))
    at_once(*(lambda tag=f"t{n}": house.push(document, "", tag) for n in range(8)))
    assert count(house, tables.manifests) == 1
    assert count(house, tables.manifest_references) == 2
    assert count(house, tables.tags) == 8


def test_a_first_push_by_many_makes_one_repository(house: House) -> None:
    empty = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
    documents = [{**empty, "manifests": [], "annotations": {"n": str(n)}} for n in range(6)]
    at_once(*(lambda document=document: house.push(document) for document in documents))
    assert count(house, tables.repositories) == 1
    assert count(house, tables.manifests) == 6


def test_a_push_while_its_layers_are_released_is_whole_or_refused(house: House) -> None:
    for number in range(ROUNDS):
        shared = house.add_blob(b"shared")
        house.add_blob(b"{}", EMPTY)
        house.push(image(shared), "old")
        old = house.manifests.head(house.place, "old").digest
        new = image(shared, annotations={"round": str(number)})

        def push(document: dict[str, object] = new) -> bool:
            try:
                house.push(document, "new")
            except ReferencesUnknown:
                return False
            return True

        def delete(digest: str = old) -> bool:
            house.manifests.delete(house.place, digest)
            return True

        there, _ = at_once(push, delete)
        assert (shared["digest"] in house.visible_blobs()) is there
        if there:
            house.manifests.delete(house.place, str(Digest.of(encoded(new))))


def test_an_index_and_the_deletion_of_its_child_exclude_each_other(house: House) -> None:
    for number in range(ROUNDS):
        child = house.push_image(b"child")
        listing = index(child, annotations={"round": str(number)})

        def push(document: dict[str, object] = listing) -> bool:
            try:
                house.push(document)
            except ReferencesUnknown:
                return False
            return True

        def delete(digest: str = str(child["digest"])) -> bool:
            try:
                house.manifests.delete(house.place, digest)
            except ManifestReferenced:
                return False
            return True

        pushed, deleted = at_once(push, delete)
        assert pushed is not deleted
        if pushed:
            house.manifests.get(house.place, str(child["digest"]))
            house.manifests.delete(house.place, str(Digest.of(encoded(listing))))


def test_readers_never_see_half_a_push(house: House) -> None:
    found = house.push_image(b"base", "moving")
    document = image(house.add_blob(b"next"))

    def read() -> set[str]:
        return {house.manifests.get(house.place, "moving").digest for _ in range(50)}

    def write() -> set[str]:
        return {house.push(document, "moving").digest}

    seen, (new,) = at_once(read, write)
    assert seen <= {found["digest"], new}


def test_a_manifest_deleted_twice_at_once_is_deleted_once(house: House) -> None:
    found = house.push_image(b"x", "v1")
    assert found == descriptor(encoded(image(descriptor(b"x"))), OCI_MANIFEST)

    def delete() -> bool:
        try:
            house.manifests.delete(house.place, str(found["digest"]))
        except ManifestUnknown:
            return False
        return True

    assert sorted(at_once(delete, delete, delete)) == [False, False, True]
