"""Pushing, reading and deleting manifests over a real database."""

import hashlib
import json
from collections.abc import Callable

import pytest

from tests.support.registry_manifests import (
    EMPTY,
    LIMITS,
    REGION,
    House,
    descriptor,
    encoded,
    image,
    index,
)
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.manifests import (
    OCI_INDEX,
    OCI_MANIFEST,
    ManifestDigestMismatch,
    ManifestInvalid,
    ManifestReferenced,
    ManifestUnknown,
    MediaTypeUnclear,
    ReferencesUnknown,
    TagsTooMany,
)
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.service.manifests import Push
from wharfinger_common.digests import Digest, DigestInvalid
from wharfinger_common.names import NameInvalid, TagInvalid
from wharfinger_common.refusals import Refusal


def digest_of(found: dict[str, object]) -> str:
    return str(found["digest"])


def test_what_was_pushed_is_served_byte_for_byte(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    content = b" " + json.dumps(image(), indent=3).encode() + b"\n\n"
    pushed = house.manifests.put(house.place, Push("v1", content, OCI_MANIFEST))
    assert pushed.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    by_tag = house.manifests.get(house.place, "v1")
    assert (by_tag.content, by_tag.media_type) == (content, OCI_MANIFEST)
    assert house.manifests.get(house.place, pushed.digest) == by_tag
    head = house.manifests.head(house.place, "v1")
    assert (head.digest, head.size, head.content) == (pushed.digest, len(content), b"")


def test_a_push_by_sha512_is_found_under_that_digest(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    content = encoded(image())
    wanted = str(Digest.of(content, "sha512"))
    pushed = house.manifests.put(house.place, Push(wanted, content, OCI_MANIFEST, ("a", "b")))
    assert (pushed.digest, pushed.tags) == (wanted, ["a", "b"])
    assert house.manifests.get(house.place, "b").digest == wanted
    with pytest.raises(ManifestUnknown):
        house.manifests.get(house.place, str(Digest.of(content)))


def test_content_must_be_what_its_digest_says(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    content = encoded(image())
    wanted = str(Digest.of(content))
    with pytest.raises(ManifestDigestMismatch):
        house.manifests.put(house.place, Push(wanted, content + b"  ", OCI_MANIFEST))
    with pytest.raises(ManifestUnknown):
        house.manifests.get(house.place, wanted)


def test_a_refused_push_leaves_no_trace(house: House) -> None:
    missing = [descriptor(b"one"), descriptor(b"two")]
    with pytest.raises(ReferencesUnknown) as refused:
        house.push(image(*missing, config=house.add_blob(b"{}")), "v1")
    assert {item["digest"] for item in refused.value.items} == {digest_of(each) for each in missing}
    for reference in ("v1", str(Digest.of(encoded(image(*missing))))):
        with pytest.raises(ManifestUnknown):
            house.manifests.get(house.place, reference)
    other = Place(REGION, "tenant/other")
    with pytest.raises(ReferencesUnknown):
        # What another repository shows is not here.
        house.push(image(), "v1", place=other)
    with pytest.raises(NameUnknown):
        house.manifests.get(other, "v1")


def test_the_size_in_a_descriptor_must_be_the_blobs(house: House) -> None:
    layer = house.add_blob(b"layer")
    house.add_blob(b"{}", EMPTY)
    with pytest.raises(ManifestInvalid, match="says 4 bytes"):
        house.push(image(layer | {"size": 4}))
    child = house.push_image(b"x")
    with pytest.raises(ManifestInvalid, match="says 1 bytes"):
        house.push(index(child | {"size": 1}))


def test_an_index_needs_its_manifests(house: House) -> None:
    child = house.push_image(b"amd64")
    inner = index(child)
    house.push(inner)
    outer = index(child, descriptor(encoded(inner), OCI_INDEX))
    house.push(outer, "multi")
    assert house.manifests.get(house.place, "multi").content == encoded(outer)
    with pytest.raises(ReferencesUnknown) as refused:
        house.push(index(child, descriptor(b"absent", OCI_MANIFEST)))
    assert refused.value.items[0]["kind"] == "manifest"


def test_a_tag_moves_to_what_was_pushed_last(house: House) -> None:
    first, second = house.push_image(b"1", "latest"), house.push_image(b"2", "latest")
    assert house.manifests.get(house.place, "latest").digest == second["digest"]
    assert house.manifests.get(house.place, digest_of(first)).digest == first["digest"]


def test_one_digest_has_one_media_type(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    content = encoded({name: value for name, value in image().items() if name != "mediaType"})
    house.manifests.put(house.place, Push("v1", content, OCI_MANIFEST))
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    with pytest.raises(MediaTypeUnclear, match="stored as"):
        house.manifests.put(house.place, Push("v2", content, docker))
    assert house.manifests.get(house.place, "v1").media_type == OCI_MANIFEST
    with pytest.raises(ManifestUnknown):
        house.manifests.get(house.place, "v2")


def test_tag_parameters_are_bounded_and_checked(house: House) -> None:
    house.add_blob(b"{}", EMPTY)
    document = image()
    with pytest.raises(TagsTooMany):
        house.push(document, "", *[f"t{number}" for number in range(LIMITS.tags + 1)])
    with pytest.raises(TagInvalid):
        house.push(document, "", "fine", "not/fine")
    with pytest.raises(ManifestUnknown):
        house.manifests.get(house.place, "fine")


@pytest.mark.parametrize(
    ("reference", "refusal"),
    [
        ("sha256:baddigeststring", DigestInvalid),
        ("md5:" + "0" * 32, DigestInvalid),
        ("sha256:" + "A" * 64, DigestInvalid),
        (".hidden", TagInvalid),
        ("t" * 129, TagInvalid),
        ("späti", TagInvalid),
    ],
)
def test_bad_references_are_refused_everywhere(
    house: House, reference: str, refusal: type[Refusal]
) -> None:
    content = encoded(image())
    for call in (
        lambda: house.manifests.put(house.place, Push(reference, content, OCI_MANIFEST)),
        lambda: house.manifests.get(house.place, reference),
        lambda: house.manifests.head(house.place, reference),
        lambda: house.manifests.delete(house.place, reference),
    ):
        with pytest.raises(refusal):
            call()


@pytest.mark.parametrize("name", ["tenant", "Tenant/App", "tenant//app", "tenant/../x", "t/" * 200])
def test_bad_names_are_refused(house: House, name: str) -> None:
    with pytest.raises(NameInvalid):
        house.manifests.get(Place(REGION, name), "v1")


def test_a_namespace_must_exist_and_not_be_going(house: House) -> None:
    nowhere = Place(REGION, "nowhere/app")
    with pytest.raises(NamespaceUnknown):
        house.push(image(), "v1", place=nowhere)
    found = house.push_image(b"x", "v1")
    house.end_namespace("tenant")
    calls: list[Callable[[], object]] = [
        lambda: house.manifests.get(house.place, "v1"),
        lambda: house.manifests.head(house.place, digest_of(found)),
        lambda: house.push(image(), "v2"),
    ]
    for call in calls:
        with pytest.raises(NamespaceUnknown):
            call()


def test_another_region_has_nothing_of_it(house: House) -> None:
    house.push_image(b"x", "v1")
    with pytest.raises(Refusal):
        house.manifests.get(Place("elsewhere", house.place.repository), "v1")


# --- Deletion ------------------------------------------------------------------------------


def test_deleting_a_tag_leaves_the_manifest(house: House) -> None:
    found = house.push_image(b"x", "", "a", "b")
    house.manifests.delete(house.place, "a")
    with pytest.raises(ManifestUnknown):
        house.manifests.get(house.place, "a")
    with pytest.raises(ManifestUnknown):
        house.manifests.delete(house.place, "a")
    assert house.manifests.get(house.place, "b").digest == found["digest"]


def test_deleting_a_manifest_takes_its_tags_and_what_only_it_held(house: House) -> None:
    first = house.push_image(b"1", "", "a", "b")
    house.push_image(b"2", "c")
    house.add_blob(b"not yet referenced")
    house.manifests.delete(house.place, digest_of(first))
    for reference in ("a", "b", digest_of(first)):
        with pytest.raises(ManifestUnknown):
            house.manifests.get(house.place, reference)
    assert house.manifests.get(house.place, "c").media_type == OCI_MANIFEST
    # The empty config is shared, the loose blob was never the manifest's.
    kept = [descriptor(content)["digest"] for content in (b"{}", b"2", b"not yet referenced")]
    assert house.visible_blobs() == set(kept)


def test_what_is_deleted_in_one_repository_stays_in_the_other(house: House) -> None:
    other = Place(REGION, "tenant/other")
    layer = house.add_blob(b"shared")
    house.add_blob(b"shared", place=other)
    house.add_blob(b"{}", EMPTY, place=other)
    house.push(image(layer), "v1", place=other)
    found = house.push_image(b"shared", "v1")
    house.manifests.delete(house.place, digest_of(found))
    assert house.manifests.get(other, "v1").digest == found["digest"]
    house.push(image(layer), "again", place=other)


def test_what_an_index_lists_is_protected_until_the_index_goes(house: House) -> None:
    child = house.push_image(b"arm64")
    listing = index(child)
    house.push(listing, "multi")
    with pytest.raises(ManifestReferenced) as refused:
        house.manifests.delete(house.place, digest_of(child))
    parent = str(Digest.of(encoded(listing)))
    assert refused.value.facts["parent"] == parent
    house.manifests.delete(house.place, parent)
    house.manifests.delete(house.place, digest_of(child))
    assert house.visible_blobs() == set()


def test_a_subject_is_not_held_by_its_referrers(house: House) -> None:
    subject = house.push_image(b"image")
    pushed = house.push(image(subject=subject), "signature")
    assert pushed.subject == subject["digest"]
    house.manifests.delete(house.place, digest_of(subject))
    assert house.manifests.get(house.place, "signature").digest == pushed.digest


def test_deleting_what_is_not_there_says_so(house: House) -> None:
    house.push_image(b"x", "v1")
    with pytest.raises(ManifestUnknown):
        house.manifests.delete(house.place, str(Digest.of(b"nothing")))
    with pytest.raises(NameUnknown):
        house.manifests.delete(Place(REGION, "tenant/none"), "v1")


def test_after_deletion_the_same_push_works_again(house: House) -> None:
    found = house.push_image(b"x", "v1")
    house.manifests.delete(house.place, digest_of(found))
    with pytest.raises(ReferencesUnknown):
        house.push(image(descriptor(b"x")), "v1")
    assert house.push_image(b"x", "v1") == found
    assert house.manifests.get(house.place, "v1").digest == found["digest"]
