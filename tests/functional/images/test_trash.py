"""Deleted images: where they can be seen, that nobody pulls them, and how they come back."""

from __future__ import annotations

import pytest

from tests.conftest import NewTenant
from tests.support.images import Dock, digest_of, encoded
from tests.support.server import Identity, Server, Tenant


def delete(dock: Dock, repository: str, reference: str) -> None:
    name = encoded(dock.ref(repository, reference))
    assert dock.call("DELETE", f"/images/{name}").status_code == 200


def trash(dock: Dock, **query: str) -> dict[str, dict[str, object]]:
    answer = dock.call("GET", "/trash", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, dict[str, object]] = answer.json()
    return found


def restore(dock: Dock, name: str, what: str = "restore") -> tuple[int, dict[str, object]]:
    answer = dock.call("POST", f"/trash/{encoded(name)}/{what}")
    return answer.status_code, answer.json() if answer.content else {}


def test_a_deleted_image_is_in_the_trash_and_nowhere_else(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1", "v2", layers=[b"secret"])
    delete(dock, repository, "v1")
    reference = dock.ref(repository, pushed.digest)
    assert trash(dock) == {reference: {"daysUntilExpiry": 30, "tags": ["v1", "v2"]}}
    assert dock.images() == []
    assert dock.pulls(repository, pushed.digest) == 404
    blob = dock.registry("GET", f"blobs/{digest_of(b'secret')}", repository, "pull")
    assert blob.status_code == 404


@pytest.mark.parametrize("by", ["control", "oci"])
def test_restored_by_digest_with_all_its_tags(dock: Dock, repository: str, by: str) -> None:
    pushed = dock.push(repository, "v1", "v2", layers=[b"one", b"two"])
    if by == "control":
        delete(dock, repository, pushed.digest)
    else:
        gone = dock.registry("DELETE", f"manifests/{pushed.digest}", repository)
        assert gone.status_code == 202
    before = dock.images()
    assert restore(dock, dock.ref(repository, pushed.digest), "restoretags") == (
        200,
        {"successful": ["v1", "v2"], "unsuccessful": []},
    )
    assert before == []
    assert trash(dock) == {}
    assert dock.tags(repository) == ["v1", "v2"]
    assert dock.who.manifest(repository, "v1").content == pushed.content
    for layer in (b"one", b"two"):
        blob = dock.registry("GET", f"blobs/{digest_of(layer)}", repository, "pull")
        assert blob.content == layer
    assert dock.images()[0]["Id"] == pushed.config
    assert restore(dock, dock.ref(repository, pushed.digest), "restoretags")[0] == 404


def test_restored_by_digest_without_tags_that_are_taken(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1", "v2")
    delete(dock, repository, "v1")
    other = dock.push(repository, "v1", layers=[b"another"])
    reference = dock.ref(repository, pushed.digest)
    status, told = restore(dock, reference, "restoretags")
    assert (status, told) == (200, {"successful": ["v2"], "unsuccessful": ["v1"]})
    assert dock.who.manifest(repository, "v1").digest == other.digest
    assert dock.who.manifest(repository, "v2").digest == pushed.digest
    assert trash(dock) == {}


def test_restored_by_tag_brings_that_tag_alone(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1", "v2")
    delete(dock, repository, "v1")
    assert restore(dock, f"{repository}:v2") == (200, {})
    assert dock.tags(repository) == ["v2"]
    reference = dock.ref(repository, pushed.digest)
    assert trash(dock) == {reference: {"daysUntilExpiry": 30, "tags": ["v1"]}}
    assert restore(dock, f"{repository}:v1") == (200, {})
    assert trash(dock) == {}
    assert dock.tags(repository) == ["v1", "v2"]


def test_a_live_tag_is_not_taken_away(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1")
    delete(dock, repository, "v1")
    other = dock.push(repository, "v1", layers=[b"another"])
    status, told = restore(dock, f"{repository}:v1")
    assert (status, told["code"]) == (409, "CRT0500E")
    assert dock.who.manifest(repository, "v1").digest == other.digest
    assert restore(dock, f"{repository}@{pushed.digest}") == (200, {})
    assert dock.pulls(repository, pushed.digest) == 200


def test_the_image_last_deleted_has_the_tag(dock: Dock, repository: str) -> None:
    for layer in (b"old", b"new"):
        last = dock.push(repository, "v1", layers=[layer])
        delete(dock, repository, "v1")
    assert len(trash(dock)) == 2
    assert restore(dock, f"{repository}:v1") == (200, {})
    assert dock.who.manifest(repository, "v1").digest == last.digest


def test_deleted_again_it_has_all_tags_that_it_ever_had(dock: Dock, repository: str) -> None:
    for tag in ("v1", "v2"):
        pushed = dock.push(repository, tag)
        delete(dock, repository, tag)
    assert trash(dock)[dock.ref(repository, pushed.digest)]["tags"] == ["v1", "v2"]


def test_an_index_comes_back_with_what_it_lists(dock: Dock, repository: str) -> None:
    children = [dock.push(repository, layers=[name]) for name in (b"amd64", b"arm64")]
    kept = dock.push(repository, "kept", layers=[b"kept"])
    inner = dock.push_index(repository, children=children[:1])
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            inner.descriptor | {"mediaType": "application/vnd.oci.image.index.v1+json"},
            *(child.descriptor for child in (*children, kept)),
        ],
    }
    outer, _ = dock.push_manifest(repository, document, "multi")
    delete(dock, repository, "multi")
    delete(dock, repository, inner.digest)
    for child in children:
        delete(dock, repository, child.digest)
    assert len(trash(dock)) == 4
    assert restore(dock, f"{repository}:multi") == (200, {})
    assert trash(dock) == {}
    for digest in (outer, inner.digest, kept.digest, *(child.digest for child in children)):
        assert dock.pulls(repository, digest) == 200
    refused = dock.call("DELETE", f"/images/{repository}@{children[0].digest}")
    assert refused.status_code == 409


def test_the_list_comes_in_pages_and_by_namespace(dock: Dock, tenant: Tenant) -> None:
    other = f"{tenant.namespace}-b"
    tenant.add_namespace(other)
    for repository in (f"{tenant.namespace}/a", f"{tenant.namespace}/b", f"{other}/c"):
        for layer in (b"x", b"y"):
            dock.push(repository, "v1", layers=[layer])
            delete(dock, repository, "v1")
    assert len(trash(dock)) == 6
    assert len(trash(dock, namespace=other)) == 2
    assert dock.call("GET", "/trash", params={"namespace": "not-mine"}).status_code == 403
    seen: list[str] = []
    answer = dock.call("GET", "/trash", params={"limit": "4"})
    while True:
        seen += answer.json()
        link = answer.links.get("next")
        if not link:
            break
        answer = dock.call("GET", link["url"].removeprefix("/api/v1"))
    assert len(seen) == len(set(seen)) == 6
    assert set(seen) == set(trash(dock))


def test_strangers_see_and_restore_nothing(
    dock: Dock, repository: str, server: Server, new_tenant: NewTenant
) -> None:
    pushed = dock.push(repository, "v1")
    delete(dock, repository, "v1")
    stranger = Dock(server.api, new_tenant())
    assert trash(stranger) == {}
    told = set()
    for name in (f"{repository}@{pushed.digest}", f"never-was/app@{pushed.digest}"):
        for what in ("restore", "restoretags"):
            status, answer = restore(stranger, name, what)
            assert status == 403
            told.add(answer["message"])
    assert len(told) == 1
    stranger.close()


def test_roles(dock: Dock, tenant: Tenant, repository: str, server: Server) -> None:
    dock.push(repository, "v1")
    delete(dock, repository, "v1")
    for role, status in (("Reader", 403), ("Writer", 200)):
        key = tenant.service_key(role, role, tenant.namespace)
        who = Dock(server.api, Identity(server.api, tenant.account, key))
        assert len(trash(who)) == 1
        assert restore(who, f"{repository}:v1")[0] == status
        who.close()


@pytest.mark.parametrize(
    ("name", "what", "status"),
    [
        ("{r}:none", "restore", 404),
        ("{r}@sha256:" + "0" * 64, "restore", 404),
        ("{r}@sha256:" + "0" * 64, "restoretags", 404),
        ("{r}:v1", "restoretags", 400),
        ("elsewhere.io/{r}:v1", "restore", 400),
    ],
)
def test_restoring_refuses(dock: Dock, repository: str, name: str, what: str, status: int) -> None:
    assert restore(dock, name.format(r=repository), what)[0] == status


@pytest.mark.parametrize("what", ["restore", "restoretags"])
def test_restoring_asks_the_quota_again(
    dock: Dock, tenant: Tenant, repository: str, what: str
) -> None:
    """What was deleted to make room comes back only where there is room again."""
    tenant.set_quotas(storage=1)
    pushed = dock.push(repository, "v1", layers=[b"a" * 700_000])
    delete(dock, repository, "v1")
    other = dock.push(repository, "v2", layers=[b"b" * 700_000])
    kept, used = trash(dock), tenant.quotas()["usage"]["storage_bytes"]
    name = dock.ref(repository, pushed.digest)
    names = [name] if what == "restoretags" else [name, f"{repository}:v1"]

    for one in names:
        status, told = restore(dock, one, what)
        assert (status, told["entry"]) == (403, "WHF0401")
    assert (trash(dock), dock.tags(repository)) == (kept, ["v2"])
    assert tenant.quotas()["usage"]["storage_bytes"] == used

    delete(dock, repository, other.digest)
    assert restore(dock, names[-1], what)[0] == 200
    assert dock.tags(repository) == ["v1"]
    assert 700_000 < tenant.quotas()["usage"]["storage_bytes"] < 2**20


def test_restoring_is_audited(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1")
    delete(dock, repository, "v1")
    restore(dock, f"{repository}:v1")
    row = dock.call("GET", "/audit").json()["entries"][0]
    assert (row["action"], row["target"]) == (
        "image.restore",
        f"image:{dock.ref(repository, 'v1')}",
    )
    assert row["detail"]["digest"] == pushed.digest
