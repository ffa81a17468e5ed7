"""Lists of images and digests: what is in them, for whom, and in which pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import NewTenant
from tests.support.images import DOCKER, EPOCH, INDEX, Dock, second
from tests.support.server import Identity, Server, Tenant


def test_an_image_with_all_that_is_told_of_it(dock: Dock, repository: str) -> None:
    labels = {"maintainer": "somebody", "version": "1"}
    pushed = dock.push(repository, "v1", "latest", labels=labels, layers=[b"one", b"three"])
    tags = [dock.ref(repository, "latest"), dock.ref(repository, "v1")]
    assert dock.images() == [
        {
            "Id": pushed.config,
            "ParentId": "",
            "DigestTags": {pushed.digest: tags},
            "RepoTags": tags,
            "RepoDigests": [dock.ref(repository, pushed.digest)],
            "Created": 1533124800,
            "Size": 8,
            "VirtualSize": 8,
            "Labels": labels,
            "ManifestType": "OCI Image Manifest v1",
        }
    ]


def test_vulnerabilities_are_told_only_where_they_are_asked_for(
    dock: Dock, repository: str
) -> None:
    dock.push(repository, "v1")
    assert "Vulnerable" not in dock.images()[0]
    assert dock.images(vulnerabilities="true")[0]["Vulnerable"] == "unscanned"


def test_lists_of_manifests_come_if_they_are_asked_for(dock: Dock, repository: str) -> None:
    child = dock.push(repository, created=None, media_type=DOCKER)
    index = dock.push_index(repository, "multi", children=[child])
    assert dock.images() == []
    found = dock.images(includeManifestLists="true")
    assert [(one["Id"], one["ManifestType"], one["Size"], one["Created"]) for one in found] == [
        (index.digest, "OCI Image Index v1", len(index.content), 0)
    ]


def test_an_untagged_image_is_not_in_the_list(dock: Dock, repository: str) -> None:
    dock.push(repository, "v1", layers=[b"old"])
    new = dock.push(repository, "v1", layers=[b"new"])
    assert [list(one["DigestTags"]) for one in dock.images()] == [[new.digest]]


def test_filters_by_namespace_and_repository(dock: Dock, tenant: Tenant) -> None:
    other = f"{tenant.namespace}-b"
    tenant.add_namespace(other)
    names = [f"{tenant.namespace}/one", f"{tenant.namespace}/two", f"{other}/three"]
    for name in names:
        dock.push(name, "v1")

    def shown(**query: Any) -> list[str]:
        return sorted(one["RepoTags"][0] for one in dock.images(**query))

    full = [dock.ref(name, "v1") for name in names]
    assert shown() == sorted(full)
    assert shown(namespace=other) == full[2:]
    assert shown(repository=names[0]) == full[:1]
    assert shown(repository=[names[0], f"{dock.host}/{names[2]}"]) == sorted([full[0], full[2]])
    assert shown(namespace=tenant.namespace, repository=names[2]) == []
    assert shown(repository=f"{tenant.namespace}/none") == []
    assert shown(includePrivate="false") == []


def test_what_is_not_the_callers_is_refused_alike(
    dock: Dock, repository: str, new_tenant: NewTenant, server: Server
) -> None:
    dock.push(repository, "v1")
    stranger = Dock(server.api, new_tenant())
    texts = set()
    for query in ({"namespace": repository.split("/", maxsplit=1)[0]}, {"namespace": "never-was"}):
        answer = stranger.call("GET", "/images", params=query)
        assert answer.status_code == 403
        texts.add(answer.json()["message"])
    answer = stranger.call("GET", "/images", params={"repository": repository})
    assert answer.status_code == 403
    assert len(texts) == 1
    assert stranger.images() == []
    stranger.close()


@pytest.mark.parametrize(
    ("name", "status"),
    [("elsewhere.io/ns/repo", 400), ("UPPER/repo", 400), ("alone", 400), ("a" * 800, 400)],
)
def test_names_that_cannot_be_are_refused(dock: Dock, name: str, status: int) -> None:
    assert dock.call("GET", "/images", params={"repository": name}).status_code == status


def test_pages_follow_each_other_and_hold_everything(dock: Dock, tenant: Tenant) -> None:
    repositories = [f"{tenant.namespace}/{name}" for name in ("a", "b-c", "b", "c/d")]
    expected = set()
    for number, repository in enumerate(repositories * 2):
        pushed = dock.push(repository, f"v{number}", f"w{number}", created=second(number))
        expected.add((repository, pushed.digest))
    seen: list[tuple[str, str]] = []
    path, query = "/images", {"limit": "3", "repository": repositories}
    answer = dock.call("GET", path, params=query)
    pages = 1
    while True:
        for one in answer.json():
            name = one["RepoDigests"][0].removeprefix(f"{dock.host}/").split("@")
            assert len(one["RepoTags"]) == 2
            seen.append((name[0], name[1]))
        link = answer.links.get("next")
        if not link:
            break
        assert len(answer.json()) == 3
        answer = dock.call("GET", link["url"].removeprefix("/api/v1"))
        assert answer.status_code == 200, answer.text
        pages += 1
    assert (pages, len(seen)) == (3, len(set(seen)))
    assert set(seen) == expected
    assert "Link" not in dock.call("GET", path).headers


def test_any_text_is_a_place_to_go_on_from(dock: Dock, repository: str) -> None:
    dock.push(repository, "v1")
    for text in ("a", "@", "global:", f"{repository}@", "zzzz/y@sha256:0"):
        assert dock.call("GET", "/images", params={"next": text}).status_code == 200


def test_digests_show_untagged_images_and_indexes_too(dock: Dock, repository: str) -> None:
    child = dock.push(repository, layers=[b"child"], created=second(1))
    index = dock.push_index(repository, "multi", children=[child])
    tagged = dock.push(repository, "v1", "v2", created=second(2))
    copy = repository + "2"
    dock.push(copy, "v3", created=second(2))

    def digests(**body: Any) -> dict[str, dict[str, Any]]:
        answer = dock.call("POST", "/images/digests", json=body)
        assert answer.status_code == 200, answer.text
        return {one["id"]: one for one in answer.json()}

    found = digests(exclude_va=True)
    assert set(found) == {child.digest, index.digest, tagged.digest}
    assert found[child.digest]["created"] == EPOCH + 1
    assert found[child.digest]["repoTags"] == {f"{dock.host}/{repository}": {}}
    assert found[index.digest] == {
        "id": index.digest,
        "created": 0,
        "manifestType": "OCI Image Index v1",
        "size": len(index.content),
        "repoTags": {f"{dock.host}/{repository}": {"multi": {}}},
    }
    assert found[tagged.digest]["repoTags"] == {
        f"{dock.host}/{repository}": {"v1": {}, "v2": {}},
        f"{dock.host}/{copy}": {"v3": {}},
    }
    assert set(digests(exclude_tagged=True)) == {child.digest}
    assert set(digests(repositories=[copy])) == {tagged.digest}
    assessed = digests()[tagged.digest]["repoTags"]
    assert assessed[f"{dock.host}/{copy}"]["v3"] == {"vulnerable": "unscanned"}


def test_a_writer_lists_nothing_and_a_reader_all(
    dock: Dock, tenant: Tenant, repository: str, server: Server
) -> None:
    dock.push(repository, "v1")
    for role, status in (("Reader", 200), ("Writer", 403)):
        key = tenant.service_key(role, role, tenant.namespace)
        who = Dock(server.api, Identity(server.api, tenant.account, key))
        answer = who.call("GET", "/images")
        assert answer.status_code == status
        assert status == 403 or len(answer.json()) == 1
        who.close()


def test_a_namespace_that_is_being_deleted_shows_nothing(
    dock: Dock, tenant: Tenant, repository: str
) -> None:
    dock.push(repository, "v1")
    assert dock.call("DELETE", f"/namespaces/{tenant.namespace}").status_code == 204
    assert dock.images() == []


def test_a_tagged_artifact_is_listed_by_its_own_type(dock: Dock, repository: str) -> None:
    empty = dock.push_blob(repository, b"{}") | {"mediaType": "application/vnd.oci.empty.v1+json"}
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    dock.push_manifest(repository, document, "nothing")
    artifact = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": empty,
        "layers": [empty],
    }
    digest, _ = dock.push_manifest(repository, artifact, "chart")
    found = dock.images()
    assert [(one["Id"], one["Created"], one["Labels"]) for one in found] == [
        (empty["digest"], 0, {})
    ]
    assert list(found[0]["DigestTags"]) == [digest]
