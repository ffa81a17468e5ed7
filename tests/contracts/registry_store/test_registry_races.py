"""Several clients at once, on every database: each outcome is a valid one, never a mix."""

from contextlib import suppress

from sqlalchemy import func, select

from tests.support.races import at_once
from tests.support.registry_manifests import (
    EMPTY,
    REGION,
    House,
    descriptor,
    encoded,
    image,
    index,
)
from wharfinger.database.schema import registry as tables
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.namespaces.store import hold_owner, is_deleting
from wharfinger.registry.model.blobs import Blob, BlobReferenced
from wharfinger.registry.model.manifests import (
    OCI_MANIFEST,
    ManifestReferenced,
    ManifestUnknown,
    ReferencesUnknown,
)
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger.registry.service.repositories import RegistryDeletion
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.repositories import SqlNamespaceContents
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger_common.digests import Digest

ROUNDS = 20


class NoUploads:
    """A namespace without upload sessions."""

    def discard(self, region: str, namespace: str, limit: int, /) -> int:
        return 0


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


def test_a_namespace_that_goes_takes_all_that_was_pushed_meanwhile(house: House) -> None:
    """No push gets past the deletion, and none stands in the way of the emptying."""
    contents = SqlNamespaceContents(house.database, is_deleting)
    step = RegistryDeletion(contents, NoUploads(), batch=7)

    def push(number: int) -> None:
        place = Place(REGION, f"tenant/app{number % 2}")
        with suppress(NamespaceUnknown, ReferencesUnknown):
            for seed in range(6):
                house.add_blob(b"{}", EMPTY, place=place)
                layers = [house.add_blob(bytes([seed, n]), place=place) for n in range(3)]
                house.push(image(*layers), f"t{number}", f"u{seed}", place=place)

    def empty() -> None:
        house.end_namespace("tenant")
        while not step.run(REGION, "tenant"):
            pass

    at_once(*(lambda n=n: push(n) for n in range(4)), empty)

    for table in (tables.repositories, tables.manifests, tables.tags, tables.repository_blobs):
        assert count(house, table) == 0


def test_a_manifest_deleted_while_its_namespace_is_emptied_holds_up_nobody(house: House) -> None:
    for number in range(5):
        house.add_namespace(f"ns{number}", "a")
        place = Place(REGION, f"ns{number}/app")
        house.add_blob(b"{}", EMPTY, place=place)
        layers = [house.add_blob(bytes([n]), place=place) for n in range(8)]
        pushed = [
            house.push(image(*layers, annotations={"n": str(n)}), f"v{n}", place=place)
            for n in range(4)
        ]
        house.end_namespace(f"ns{number}")
        contents = SqlNamespaceContents(house.database, is_deleting)

        def empty(
            namespace: str = f"ns{number}", contents: SqlNamespaceContents = contents
        ) -> None:
            while contents.delete_batch(REGION, namespace, 5):
                pass

        def delete(digest: str, place: Place = place) -> None:
            with suppress(ManifestUnknown, NameUnknown):
                house.manifests.delete(place, digest)

        at_once(empty, *(lambda digest=one.digest: delete(digest) for one in pushed))

        assert contents.remaining(REGION, f"ns{number}") == 0


def test_a_blob_taken_out_while_a_manifest_comes_is_there_or_the_manifest_is_not(
    house: House,
) -> None:
    records = SqlBlobRecords(house.database)
    house.add_blob(b"{}", EMPTY)
    for number in range(ROUNDS):
        layer = house.add_blob(bytes([number]))
        whole = image(layer)

        def push(document: dict[str, object] = whole) -> bool:
            try:
                house.push(document)
            except ReferencesUnknown:
                return False
            return True

        def unlink(digest: str = str(layer["digest"])) -> bool:
            try:
                records.unlink(house.place.region, house.place.repository, digest)
            except BlobReferenced:
                return False
            return True

        pushed, unlinked = at_once(push, unlink)
        assert pushed is not unlinked


def test_one_blob_linked_by_many_to_many_repositories_is_one_blob(house: House) -> None:
    uploads = SqlUploadRecords(house.database, hold_owner)
    blob = Blob(str(Digest.of(b"shared")), 6, "somewhere")

    def link(number: int) -> None:
        pusher = Pusher(REGION, f"tenant/app{number % 4}", "user")
        uploads.link(pusher, "a", blob, 1.0, None)
        assert uploads.link_stored(pusher, "a", blob.digest, 2.0, None)

    at_once(*(lambda n=n: link(n) for n in range(8)))

    assert (count(house, tables.blobs), count(house, tables.repositories)) == (1, 4)
    assert count(house, tables.repository_blobs) == 4
