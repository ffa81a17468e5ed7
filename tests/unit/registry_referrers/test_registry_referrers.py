"""What refers to a manifest (OCI distribution 1.1, Listing Referrers)."""

import json
from typing import Any

import pytest

from tests.support.registry_manifests import EMPTY, REGION, House, descriptor, encoded, image, index
from wharfinger.registry.model.manifests import OCI_INDEX, OCI_MANIFEST
from wharfinger.registry.model.paging import PageInvalid
from wharfinger.registry.model.referrers import render_index
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.service.referrers import Referrers
from wharfinger.registry.store.referrers import SqlReferrerLists
from wharfinger_common.digests import Digest, DigestInvalid

SBOM = "application/vnd.example.sbom"
SIGNATURE = "application/vnd.example.signature"
SUBJECT = descriptor(b"the image", OCI_MANIFEST)


def service(house: House, maximum: int = 100, size: int = 1 << 20) -> Referrers:
    return Referrers(SqlReferrerLists(house.database), house, maximum, size)


def listed(
    house: House, artifact_type: str = "", subject: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    digest = (subject or SUBJECT)["digest"]
    page = service(house).list(house.place, digest, artifact_type, "", "")
    document = json.loads(render_index(page.referrers))
    assert (document["schemaVersion"], document["mediaType"]) == (2, OCI_INDEX)
    manifests: list[dict[str, Any]] = document["manifests"]
    return manifests


def refer(house: House, seed: str, artifact_type: str = SBOM, **more: Any) -> dict[str, Any]:
    """Push an artifact that refers to the subject; return the entry it should have."""
    house.add_blob(b"{}", EMPTY)
    annotations = {"seed": seed}
    document = image(artifactType=artifact_type, annotations=annotations, subject=SUBJECT, **more)
    house.push(document)
    entry = descriptor(encoded(document), OCI_MANIFEST, annotations=annotations)
    return entry | {"artifactType": artifact_type}


def test_referrers_are_listed_with_type_and_annotations(house: House) -> None:
    entries = [refer(house, 'ä \u0000 " </script>'), refer(house, "2", SIGNATURE)]
    assert listed(house) == sorted(entries, key=lambda entry: str(entry["digest"]))
    assert listed(house, SIGNATURE) == [entries[1]]
    assert listed(house, "application/vnd.example.other") == []


def test_without_an_artifact_type_the_config_tells_it(house: House) -> None:
    config = house.add_blob(b"cfg", "application/vnd.example.config")
    document = image(config=config, subject=SUBJECT, artifactType="")
    house.push(document)
    [entry] = listed(house)
    assert entry["artifactType"] == "application/vnd.example.config"
    assert "annotations" not in entry


def test_an_index_without_artifact_type_has_none(house: House) -> None:
    document = index(subject=SUBJECT)
    house.push(document)
    assert listed(house) == [descriptor(encoded(document), OCI_INDEX)]


def test_what_nothing_refers_to_has_an_empty_list_everywhere(house: House) -> None:
    assert listed(house) == []
    place = Place(REGION, "tenant/never-pushed-to")
    assert service(house).list(place, SUBJECT["digest"], "", "", "").referrers == ()
    with pytest.raises(DigestInvalid):
        service(house).list(house.place, "sha256:short", "", "", "")


def test_a_deleted_referrer_is_gone(house: House) -> None:
    entry = refer(house, "1")
    house.manifests.delete(house.place, entry["digest"])
    assert listed(house) == []


def test_pages_are_bounded_in_entries(house: House) -> None:
    entries = sorted(str(refer(house, str(n))["digest"]) for n in range(7))
    collected: list[str] = []
    last = ""
    while True:
        page = service(house, maximum=3).list(house.place, SUBJECT["digest"], "", "", last)
        assert len(page.referrers) <= 3
        collected += [each.digest for each in page.referrers]
        if not page.next:
            break
        last = page.next
    assert collected == entries


def test_pages_are_bounded_in_bytes_but_always_go_on(house: House) -> None:
    for n in range(4):
        refer(house, str(n) + "x" * 3000)
    seen: list[str] = []
    last = ""
    for _ in range(4):
        page = service(house, size=1000).list(house.place, SUBJECT["digest"], "", "", last)
        assert len(page.referrers) == 1
        seen += [each.digest for each in page.referrers]
        last = page.next
    assert last == ""
    assert len(set(seen)) == 4
    two = service(house, size=8400).list(house.place, SUBJECT["digest"], "", "", "")
    assert len(two.referrers) == 2
    assert len(render_index(two.referrers)) <= 8400


def test_a_filtered_list_pages_over_what_matches(house: House) -> None:
    wanted = {refer(house, str(n), SIGNATURE)["digest"] for n in range(3)}
    for n in range(9):
        refer(house, str(n), SBOM)
    page = service(house, maximum=3).list(house.place, SUBJECT["digest"], SIGNATURE, "", "")
    assert {each.digest for each in page.referrers} == wanted
    assert page.next == ""


@pytest.mark.parametrize(("n", "last"), [("x", ""), ("", "not-a-digest"), ("-1", "")])
def test_bad_pages_are_refused(house: House, n: str, last: str) -> None:
    with pytest.raises(PageInvalid):
        service(house).list(house.place, SUBJECT["digest"], "", n, last)


def test_the_tag_of_the_referrers_tag_schema_is_an_ordinary_tag(house: House) -> None:
    """What clients keep for registries without the API neither adds to the list nor is changed."""
    entry = refer(house, "1")
    plain = house.push_image(b"no subject")
    fallback = index(entry, plain)
    tag = str(SUBJECT["digest"]).replace(":", "-")
    house.push(fallback, tag)
    assert house.manifests.get(house.place, tag).content == encoded(fallback)
    assert listed(house) == [entry]
    house.manifests.delete(house.place, tag)
    assert listed(house) == [entry]


def test_other_repositories_have_referrers_of_their_own(house: House) -> None:
    refer(house, "1")
    other = Place(REGION, "tenant/other")
    page = service(house).list(other, SUBJECT["digest"], "", "", "")
    assert page.referrers == ()


def test_a_sha512_subject_is_found(house: House) -> None:
    subject = descriptor(b"image", OCI_MANIFEST, "sha512")
    document = index(subject=subject)
    house.push(document)
    assert [entry["digest"] for entry in listed(house, subject=subject)] == [
        str(Digest.of(encoded(document)))
    ]
