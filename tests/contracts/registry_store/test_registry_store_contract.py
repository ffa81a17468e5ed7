"""What every adapter of the registry's store ports does (`wharfinger.registry.ports`)."""

import json

import pytest

from tests.support.registry_manifests import (
    REGION,
    House,
    descriptor,
    encoded,
    image,
)
from wharfinger.identity.model import Visibility
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.namespaces.store import is_deleting
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.manifests import OCI_MANIFEST, NewManifest, ParsedManifest
from wharfinger.registry.model.paging import Page
from wharfinger.registry.model.referrers import render_index
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.ports import ManifestChanges
from wharfinger.registry.service.repositories import RegistryDeletion
from wharfinger.registry.store.catalog import SqlCatalog
from wharfinger.registry.store.referrers import SqlReferrerLists
from wharfinger.registry.store.repositories import SqlNamespaceContents
from wharfinger.registry.store.tags import SqlTagLists
from wharfinger_common.digests import Digest

SUBJECT = "sha256:" + "5" * 64


class NoUploads:
    """A namespace without upload sessions."""

    def discard(self, region: str, namespace: str, limit: int, /) -> int:
        return 0


def new(
    seed: str,
    *,
    media_type: str = OCI_MANIFEST,
    subject: str | None = None,
    references: dict[str, Kind] | None = None,
    annotations: dict[str, str] | None = None,
) -> NewManifest:
    content = seed.encode()
    parsed = ParsedManifest(
        media_type, "application/x.type", subject, annotations=annotations or {}
    )
    return NewManifest(str(Digest.of(content)), content, parsed, references or {})


def add(house: House, manifest: NewManifest, *tags: str, place: Place | None = None) -> int:
    with house.store.writing() as changes:
        key = changes.open(place or house.place, "a", 1)
        changes.add(key, manifest, 1)
        changes.move_tags(key, tags, manifest.digest, 1)
    return key


def there(house: House, reference: Digest | str) -> bool:
    with house.store.reading() as records:
        return records.find(house.place, reference, content=False) is not None


# --- Manifests and tags --------------------------------------------------------------------


def test_a_repository_is_made_once(house: House) -> None:
    with house.store.reading() as records:
        assert not records.exists(house.place)
    with house.store.writing() as changes:
        assert changes.lock(house.place) is None
        key = changes.open(house.place, "a", 1)
        assert changes.open(house.place, "a", 2) == key
        assert changes.lock(house.place) == key
        assert changes.open(Place(REGION, "tenant/other"), "a", 1) != key
    with house.store.reading() as records:
        assert records.exists(house.place)


def test_a_repository_needs_an_active_namespace_of_the_account(house: House) -> None:
    for place, account in ((house.place, "b"), (Place(REGION, "nowhere/app"), "a")):
        with pytest.raises(NamespaceUnknown), house.store.writing() as changes:
            changes.open(place, account, 1)
    house.end_namespace("tenant")
    with pytest.raises(NamespaceUnknown), house.store.writing() as changes:
        changes.open(house.place, "a", 1)


def test_a_manifest_is_found_by_digest_and_tag(house: House) -> None:
    manifest = new("content")
    add(house, manifest, "v1")
    with house.store.reading() as records:
        whole = records.find(house.place, Digest.parse(manifest.digest), content=True)
        assert whole is not None
        assert (whole.content, whole.size, whole.media_type) == (b"content", 7, OCI_MANIFEST)
        assert records.find(house.place, "v1", content=True) == whole
        head = records.find(house.place, "v1", content=False)
        assert head is not None
        assert (head.content, head.size, head.digest) == (b"", 7, manifest.digest)
        assert records.find(house.place, "v2", content=False) is None
        assert records.find(Place("else", "tenant/app"), "v1", content=False) is None


def test_a_manifest_added_again_stays_as_it_is(house: House) -> None:
    key = add(house, new("same"))
    with house.store.writing() as changes:
        assert changes.add(key, new("same"), 9) == OCI_MANIFEST
        assert changes.add(key, new("same", media_type="application/x.other"), 9) == OCI_MANIFEST


def test_a_unit_that_fails_leaves_nothing(house: House) -> None:
    manifest = new("lost")

    def fail(changes: ManifestChanges) -> None:
        key = changes.open(house.place, "a", 1)
        changes.add(key, manifest, 1)
        changes.move_tags(key, ["v1"], manifest.digest, 1)
        raise RuntimeError

    with pytest.raises(RuntimeError), house.store.writing() as changes:
        fail(changes)
    assert not there(house, "v1")
    with house.store.reading() as records:
        assert not records.exists(house.place)


def test_tags_move_and_go(house: House) -> None:
    first, second = new("1"), new("2")
    key = add(house, first, "a", "b", "a")
    add(house, second, "b")
    with house.store.reading() as records:
        found = [records.find(house.place, tag, content=False) for tag in "ab"]
    assert [one and one.digest for one in found] == [first.digest, second.digest]
    with house.store.writing() as changes:
        assert changes.remove_tag(key, "a")
        assert not changes.remove_tag(key, "a")
    assert there(house, Digest.parse(first.digest))


def test_sizes_are_told_of_what_is_here(house: House) -> None:
    blob = house.add_blob(b"four")
    house.add_blob(b"elsewhere", place=Place(REGION, "tenant/other"))
    manifest = new("seven..")
    key = add(house, manifest)
    wanted = [blob["digest"], manifest.digest, descriptor(b"elsewhere")["digest"]]
    wanted += [str(Digest.of(str(n).encode())) for n in range(1200)]
    with house.store.writing() as changes:
        assert changes.blob_sizes(key, wanted) == {blob["digest"]: 4}
        assert changes.manifest_sizes(key, wanted) == {manifest.digest: 7}
        assert changes.blob_sizes(key, []) == {}


def test_removal_takes_tags_and_what_nothing_else_needs(house: House) -> None:
    own, shared, loose = (house.add_blob(seed)["digest"] for seed in (b"own", b"shared", b"l"))
    first = new("1", references={own: Kind.BLOB, shared: Kind.BLOB})
    second = new("2", references={shared: Kind.BLOB})
    key = add(house, first, "v1", "v2")
    add(house, second, "v3")
    with house.store.writing() as changes:
        assert changes.remove(key, first.digest)
        assert not changes.remove(key, first.digest)
    assert house.visible_blobs() == {shared, loose}
    assert [there(house, tag) for tag in ("v1", "v2", "v3")] == [False, False, True]
    with house.store.writing() as changes:
        assert changes.remove(key, second.digest)
    assert house.visible_blobs() == {loose}


def test_a_parent_is_known_as_long_as_it_lives(house: House) -> None:
    child = new("child")
    parent = new("parent", references={child.digest: Kind.MANIFEST})
    key = add(house, child)
    add(house, parent)
    add(house, new("blob of that digest", references={child.digest: Kind.BLOB}))
    with house.store.writing() as changes:
        assert changes.parent(key, child.digest) == parent.digest
        assert changes.parent(key, parent.digest) is None
        changes.remove(key, parent.digest)
        assert changes.parent(key, child.digest) is None


# --- Lists ---------------------------------------------------------------------------------


def test_tag_lists_are_in_the_order_of_bytes(house: House) -> None:
    lists = SqlTagLists(house.database)
    assert lists.tags(house.place, Page(9)) is None
    add(house, new("x"), "b", "B", "a-1", "a", "_", "1")
    assert lists.tags(house.place, Page(9)) == ["1", "B", "_", "a", "a-1", "b"]
    assert lists.tags(house.place, Page(2, "B")) == ["_", "a"]
    assert lists.tags(house.place, Page(0)) == []


def test_referrer_lists_give_what_is_stored(house: House) -> None:
    lists = SqlReferrerLists(house.database)
    annotations = {"ä": '"\u0000\\', "empty": ""}
    plain = new("1", subject=SUBJECT)
    rich = new("2", subject=SUBJECT, annotations=annotations, media_type="application/x.other")
    for manifest in (plain, rich, new("3"), new("4", subject="sha512:" + "4" * 128)):
        add(house, manifest)
    page = lists.referrers(house.place, SUBJECT, "", Page(9), 10**6)
    assert page.next == ""
    by_digest = {one.digest: one for one in page.referrers}
    assert set(by_digest) == {plain.digest, rich.digest}
    assert [one.digest for one in page.referrers] == sorted(by_digest)
    entries = {
        entry["digest"]: entry for entry in json.loads(render_index(page.referrers))["manifests"]
    }
    assert "annotations" not in entries[plain.digest]
    assert entries[rich.digest]["annotations"] == annotations
    assert (entries[rich.digest]["size"], entries[rich.digest]["mediaType"]) == (
        1,
        "application/x.other",
    )
    first = lists.referrers(house.place, SUBJECT, "application/x.type", Page(1), 10**6)
    assert first.next == first.referrers[0].digest
    rest = lists.referrers(house.place, SUBJECT, "", Page(1, first.next), 10**6)
    assert (len(rest.referrers), rest.next) == (1, "")
    assert lists.referrers(house.place, SUBJECT, "x", Page(9), 10**6).referrers == ()


def test_the_catalogue_merges_accounts_and_namespaces(house: House) -> None:
    house.add_namespace("b-space", "b")
    with house.store.writing() as changes:
        for name in ("tenant/2", "tenant/1"):
            changes.open(Place(REGION, name), "a", 0)
        changes.open(Place(REGION, "b-space/x"), "b", 0)
    catalog = SqlCatalog(house.database)
    own = Visibility(frozenset({"a"}), frozenset({("a", "tenant")}))
    both = Visibility(frozenset({"a"}), frozenset({("b", "b-space"), ("c", "tenant")}))
    assert catalog.repositories(REGION, own, Page(9)) == ["tenant/1", "tenant/2"]
    everything = ["b-space/x", "tenant/1", "tenant/2"]
    assert catalog.repositories(REGION, both, Page(9)) == everything
    assert catalog.repositories(REGION, both, Page(2)) == everything[:2]
    assert catalog.repositories(REGION, both, Page(9, "b-space/x")) == everything[1:]
    assert catalog.repositories(REGION, both, Page(0)) == []
    foreign = Visibility(frozenset(), frozenset({("a", "b-space")}))
    assert catalog.repositories(REGION, foreign, Page(9)) == []
    assert catalog.repositories("else", both, Page(9)) == []


# --- Deletion with the namespace -----------------------------------------------------------


def test_a_deleted_namespace_is_emptied_in_bounded_batches(house: House) -> None:
    house.add_namespace("other", "b")
    for repository in ("tenant/app", "tenant/b"):
        place = Place(REGION, repository)
        layers = [house.add_blob(bytes([n]), place=place) for n in range(5)]
        config = house.add_blob(b"{}", place=place)
        house.push(image(*layers, config=config), "v1", "v2", "v3", place=place)
    other = Place(REGION, "other/app")
    kept = house.add_blob(b"{}", place=other)
    house.push(image(config=kept), "v1", place=other)
    contents = SqlNamespaceContents(house.database, is_deleting)
    assert contents.delete_batch(REGION, "tenant", 100) == 0
    house.end_namespace("tenant")
    assert contents.remaining(REGION, "tenant") == 2
    batches = []
    while batch := contents.delete_batch(REGION, "tenant", 4):
        batches.append(batch)
    # Of each repository: 3 tags, 6 references, 1 manifest, 6 links and itself.
    assert sum(batches) == 2 * 17
    assert max(batches) <= 4
    assert contents.remaining(REGION, "tenant") == 0
    assert house.visible_blobs() == {kept["digest"]}
    assert house.manifests.get(other, "v1").content == encoded(image(config=kept))


def test_the_deletion_step_is_done_when_nothing_is_left(house: House) -> None:
    house.push_image(b"x", "", "v1", "v2")
    contents = SqlNamespaceContents(house.database, is_deleting)
    step = RegistryDeletion(contents, NoUploads(), batch=2)
    assert step.remaining(REGION, "tenant") == 1
    house.end_namespace("tenant")
    runs = 1
    while not step.run(REGION, "tenant"):
        runs += 1
    assert runs > 3
    assert step.run(REGION, "tenant")
    assert step.remaining(REGION, "tenant") == 0


def test_a_new_owner_of_the_name_loses_nothing_to_a_late_worker(house: House) -> None:
    house.push_image(b"x", "v1")
    contents = SqlNamespaceContents(house.database, is_deleting)
    assert contents.delete_batch(REGION, "tenant", 1000) == 0
    assert there(house, "v1")
