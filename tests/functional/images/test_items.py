"""One image: inspection, manifest, deletion, tags, and deletion of several at once."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.conftest import NewTenant
from tests.support.images import DOCKER, INDEX, LAYER, OCI, Dock, Pushed, digest_of, encoded
from tests.support.server import Identity, Server, Tenant

EMPTY = "application/vnd.oci.empty.v1+json"


@pytest.fixture
def stranger(server: Server, new_tenant: NewTenant) -> Dock:
    return Dock(server.api, new_tenant())


def names(dock: Dock, repository: str, reference: str) -> list[str]:
    """All ways to name an image: with host or without, encoded or with bare slashes."""
    short = f"{repository}{'@' if ':' in reference else ':'}{reference}"
    return [short, encoded(short), dock.ref(repository, reference), encoded(f"{dock.host}/{short}")]


def test_an_inspection_speaks_as_docker_does(dock: Dock, repository: str) -> None:
    pushed = dock.push(
        repository,
        "latest",
        layers=[b"one", b"three"],
        config={
            "author": "somebody",
            "docker_version": "18.06",
            "os.version": "10",
            "container": 7,
        },
    )
    expected = {
        "Id": pushed.config,
        "Parent": "",
        "Comment": "",
        "Created": "2018-08-01T12:00:00Z",
        "Container": "",
        "ContainerConfig": {},
        "DockerVersion": "18.06",
        "Author": "somebody",
        "Config": {"Env": ["PATH=/bin"], "Labels": {}},
        "Architecture": "amd64",
        "Os": "linux",
        "OsVersion": "10",
        "Size": 8,
        "VirtualSize": 8,
        "RootFS": {"Type": "layers", "Layers": ["sha256:aa"], "BaseLayer": ""},
        "ManifestType": "application/vnd.oci.image.manifest.v1+json",
    }
    for reference in ("latest", pushed.digest):
        for name in names(dock, repository, reference):
            answer = dock.call("GET", f"/images/{name}/json")
            assert (answer.status_code, answer.json()) == (200, expected), name
    assert dock.call("GET", f"/images/{repository}/json").json() == expected


def test_what_has_no_config_is_not_inspected(dock: Dock, repository: str) -> None:
    child = dock.push(repository)
    dock.push_index(repository, "multi", children=[child])
    empty = dock.push_blob(repository, b"{}")
    chart = {
        "schemaVersion": 2,
        "mediaType": DOCKER,
        "config": empty | {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
        "layers": [],
    }
    dock.push_manifest(repository, chart, "chart")
    broken = dock.push_blob(repository, b"no JSON")
    image = chart | {
        "config": broken | {"mediaType": "application/vnd.docker.container.image.v1+json"}
    }
    dock.push_manifest(repository, image, "broken")
    for tag in ("multi", "chart", "broken"):
        answer = dock.call("GET", f"/images/{encoded(f'{repository}:{tag}')}/json")
        assert (answer.status_code, answer.json()["entry"]) == (415, "WHF0504"), tag


def test_a_manifest_comes_byte_for_byte(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1")
    for name in names(dock, repository, "v1") + names(dock, repository, pushed.digest):
        answer = dock.call("GET", f"/images/{name}/manifest")
        assert answer.content == pushed.content
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_deleting_takes_all_tags_of_the_repository_and_no_other(
    dock: Dock, repository: str, by: str
) -> None:
    pushed = dock.push(repository, "v1", "v2")
    kept = dock.push(repository, "v3", layers=[b"another"])
    dock.push(repository + "2", "v1")
    reference = "v1" if by == "tag" else pushed.digest
    answer = dock.call("DELETE", f"/images/{encoded(dock.ref(repository, reference))}")
    assert (answer.status_code, answer.json()) == (200, {"Untagged": pushed.config})
    assert dock.tags(repository) == ["v3"]
    assert dock.tags(repository + "2") == ["v1"]
    assert dock.pulls(repository, pushed.digest) == 404
    assert dock.pulls(repository, kept.digest) == 200
    again = dock.call("DELETE", f"/images/{encoded(dock.ref(repository, reference))}")
    assert (again.status_code, again.json()["code"]) == (404, "CRI0503E")


def test_deleting_without_tag_means_latest(dock: Dock, repository: str) -> None:
    dock.push(repository, "latest")
    dock.push(repository, "v1", layers=[b"another"])
    assert dock.call("DELETE", f"/images/{encoded(repository)}").status_code == 200
    assert dock.tags(repository) == ["v1"]


def test_what_an_index_lists_goes_after_it(dock: Dock, repository: str) -> None:
    child = dock.push(repository)
    index = dock.push_index(repository, "multi", children=[child])
    path = f"/images/{encoded(dock.ref(repository, child.digest))}"
    answer = dock.call("DELETE", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "CRI0112E")
    gone = dock.call("DELETE", f"/images/{encoded(dock.ref(repository, 'multi'))}")
    assert gone.json() == {"Untagged": index.digest}
    assert dock.call("DELETE", path).status_code == 200


def test_untagging_leaves_the_image(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1", "v2")
    answer = dock.call("DELETE", f"/tags/{encoded(dock.ref(repository, 'v1'))}")
    assert (answer.status_code, answer.json()) == (200, {"Untagged": dock.ref(repository, "v1")})
    assert dock.tags(repository) == ["v2"]
    assert dock.call("DELETE", f"/tags/{repository}:v2").status_code == 200
    assert dock.pulls(repository, pushed.digest) == 200
    assert dock.call("DELETE", f"/tags/{repository}:v2").status_code == 404
    for name in (repository, dock.ref(repository, pushed.digest)):
        assert dock.call("DELETE", f"/tags/{encoded(name)}").status_code == 400


def test_deleting_several_tells_of_each(dock: Dock, repository: str) -> None:
    gone, kept = dock.push(repository, "v1"), dock.push(repository, "v2", layers=[b"x"])
    missing = f"{repository}@{digest_of(b'none')}"
    other = f"not-mine/app@{kept.digest}"
    references = [
        dock.ref(repository, gone.digest),
        f"{repository}@{gone.digest}",
        missing,
        other,
        f"{repository}:v2",
        "elsewhere.io/a/b@" + kept.digest,
        "",
    ]
    answer = dock.call("POST", "/images/bulkdelete", json=references)
    body = answer.json()
    assert answer.status_code == 200
    assert body["success"] == references[:1]
    codes = {reference: part["code"] for reference, part in body["error"].items()}
    assert codes == {
        references[1]: "CRI0503E",
        missing: "CRI0503E",
        other: "CRG0020E",
        references[4]: "CRI0501E",
        references[5]: "CRI0502E",
        "": "CRI0102E",
    }
    assert all(part["message"] for part in body["error"].values())
    assert dock.tags(repository) == ["v2"]


@pytest.mark.parametrize("backwards", [False, True])
def test_an_index_and_what_it_lists_can_be_deleted_together(
    dock: Dock, repository: str, *, backwards: bool
) -> None:
    child, kept = dock.push(repository), dock.push(repository, layers=[b"x"])
    index = dock.push_index(repository, children=[child])
    outer = dock.push_index(repository, children=[index])
    dock.push_index(repository, "stays", children=[kept])
    references = [f"{repository}@{one.digest}" for one in (outer, index, child, kept)]
    named = references[::-1] if backwards else references

    body = dock.call("POST", "/images/bulkdelete", json=named).json()

    assert body["success"] == [one for one in named if one != references[3]]
    assert {text: part["code"] for text, part in body["error"].items()} == {
        references[3]: "CRI0112E"
    }


def test_bodies_may_be_compressed(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1")
    content = gzip.compress(json.dumps([f"{repository}@{pushed.digest}"]).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = dock.call("POST", "/images/bulkdelete", content=content, headers=headers)
    assert answer.json()["success"] == [f"{repository}@{pushed.digest}"]


def test_a_tag_in_the_same_repository_moves(dock: Dock, repository: str) -> None:
    old, new = dock.push(repository, "v1"), dock.push(repository, "v2", layers=[b"x"])
    query = {
        "fromimage": dock.ref(repository, new.digest),
        "toimage": dock.ref(repository, "v1"),
    }
    answer = dock.call("POST", "/images/tags", params=query)
    assert (answer.status_code, answer.content) == (201, b"")
    assert dock.who.manifest(repository, "v1").digest == new.digest
    assert dock.pulls(repository, old.digest) == 200


def test_a_tag_in_another_repository_copies_the_image(
    dock: Dock, repository: str, tenant: Tenant
) -> None:
    other = f"{tenant.namespace}-b"
    tenant.add_namespace(other)
    target = f"{other}/deep/copy"
    children = [dock.push(repository, layers=[name]) for name in (b"amd64", b"arm64")]
    inner = dock.push_index(repository, children=children[:1])
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            inner.descriptor | {"mediaType": INDEX},
            children[0].descriptor,
            children[1].descriptor,
        ],
    }
    digest, _ = dock.push_manifest(repository, document, "multi")
    query = {"fromimage": f"{repository}:multi", "toimage": f"{target}:v1"}
    assert dock.call("POST", "/images/tags", params=query).status_code == 201
    assert dock.call("POST", "/images/tags", params=query).status_code == 201
    assert dock.who.manifest(target, "v1").digest == digest
    for reference in (digest, inner.digest, *(child.digest for child in children)):
        assert dock.pulls(target, reference) == 200
    blob = dock.registry("GET", f"blobs/{digest_of(b'arm64')}", target, "pull")
    assert blob.content == b"arm64"
    dock.call("DELETE", f"/images/{repository}:multi").raise_for_status()
    assert dock.who.manifest(target, "v1").digest == digest


def test_what_belongs_to_an_image_is_copied_with_it(
    dock: Dock, repository: str, tenant: Tenant
) -> None:
    other = f"{tenant.namespace}-signed"
    tenant.add_namespace(other)
    target = f"{other}/copy"
    child, plain = dock.push(repository, layers=[b"a"]), dock.push(repository, layers=[b"b"])
    index = dock.push_index(repository, "multi", children=[child])

    def referring(subject: Pushed, layer: bytes, *tags: str) -> Pushed:
        described = dock.push_blob(repository, layer) | {"mediaType": LAYER}
        config = dock.push_blob(repository, b"{}") | {"mediaType": EMPTY}
        document = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "artifactType": "application/vnd.example.signature",
            "config": config,
            "layers": [described],
            "subject": subject.descriptor | {"mediaType": json.loads(subject.content)["mediaType"]},
        }
        digest, content = dock.push_manifest(repository, document, *tags)
        return Pushed(repository, digest, "", 0, content)

    signature = referring(index, b"signature")
    of_signature = referring(signature, b"timestamp")
    attestation = referring(child, b"attestation")
    cosigned = dock.push(repository, f"sha256-{index.digest[7:]}.sig", layers=[b"cosign"])
    foreign = referring(plain, b"of another image")
    query = {"fromimage": f"{repository}:multi", "toimage": f"{target}:v1"}
    for _ in range(2):
        assert dock.call("POST", "/images/tags", params=query).status_code == 201

    for pushed in (signature, of_signature, attestation, cosigned):
        assert dock.pulls(target, pushed.digest) == 200
    assert dock.pulls(target, foreign.digest) == 404
    assert dock.tags(target) == [f"sha256-{index.digest[7:]}.sig", "v1"]
    listed = dock.registry("GET", f"referrers/{index.digest}", target, "pull").json()
    assert [one["digest"] for one in listed["manifests"]] == [signature.digest]
    blob = dock.registry("GET", f"blobs/{digest_of(b'cosign')}", target, "pull")
    assert blob.content == b"cosign"


@pytest.mark.parametrize(
    ("source", "target", "status"),
    [
        ("{r}:none", "{r}:v2", 404),
        ("{r}none:v1", "{r}:v2", 404),
        ("{r}:v1", "{r}@{d}", 400),
        ("{r}:v1", "{r}:-", 400),
        ("elsewhere.io/{r}:v1", "{r}:v2", 400),
        ("not-mine/app:v1", "{r}:v2", 403),
        ("{r}:v1", "not-mine/app:v2", 403),
    ],
)
def test_tagging_refuses(
    dock: Dock, repository: str, source: str, target: str, status: int
) -> None:
    pushed = dock.push(repository, "v1")
    facts = {"r": repository, "d": pushed.digest}
    query = {"fromimage": source.format(**facts), "toimage": target.format(**facts)}
    assert dock.call("POST", "/images/tags", params=query).status_code == status
    assert dock.tags(repository) == ["v1"]


def test_strangers_are_refused_and_told_nothing(
    dock: Dock, repository: str, stranger: Dock
) -> None:
    pushed = dock.push(repository, "v1")
    there = encoded(dock.ref(repository, "v1"))
    nowhere = encoded(dock.ref("never-was/app", "v1"))
    for method, path in (
        ("GET", "/images/{}/json"),
        ("GET", "/images/{}/manifest"),
        ("DELETE", "/images/{}"),
        ("DELETE", "/tags/{}"),
    ):
        told = [stranger.call(method, path.format(name)) for name in (there, nowhere)]
        assert [answer.status_code for answer in told] == [403, 403]
        assert told[0].json()["message"] == told[1].json()["message"]
    query = {"fromimage": f"{repository}:v1", "toimage": f"{repository}:v2"}
    assert stranger.call("POST", "/images/tags", params=query).status_code == 403
    digest = f"{repository}@{pushed.digest}"
    refused = stranger.call("POST", "/images/bulkdelete", json=[digest]).json()["error"]
    assert refused[digest]["code"] == "CRG0020E"
    assert dock.tags(repository) == ["v1"]


def test_what_was_changed_is_in_the_audit_trail(dock: Dock, repository: str) -> None:
    pushed = dock.push(repository, "v1")
    query = {"fromimage": f"{repository}:v1", "toimage": f"{repository}:v2"}
    dock.call("POST", "/images/tags", params=query)
    dock.call("DELETE", f"/tags/{repository}:v2")
    dock.call("DELETE", f"/images/{repository}:v1")
    rows = [
        (row["action"], row["target"], row["detail"].get("digest"))
        for row in dock.call("GET", "/audit").json()["entries"]
        if row["action"].startswith("image.")
    ]
    assert rows == [
        ("image.delete", f"image:{dock.ref(repository, 'v1')}", pushed.digest),
        ("image.untag", f"image:{dock.ref(repository, 'v2')}", None),
        ("image.tag", f"image:{dock.ref(repository, 'v2')}", pushed.digest),
    ]


def test_roles(dock: Dock, tenant: Tenant, repository: str, server: Server) -> None:
    """A Reader reads and changes nothing; a Writer changes and inspects nothing."""
    pushed = dock.push(repository, "v1")
    image = encoded(f"{repository}:v1")
    calls = {
        "inspect": ("GET", f"/images/{image}/json", {}),
        "manifest": ("GET", f"/images/{image}/manifest", {}),
        "tag": (
            "POST",
            "/images/tags",
            {"params": {"fromimage": f"{repository}:v1", "toimage": f"{repository}:v2"}},
        ),
        "untag": ("DELETE", f"/tags/{repository}:v2", {}),
        "delete": ("DELETE", f"/images/{repository}@{pushed.digest}", {}),
    }
    expected = {
        "Reader": {"inspect": 200, "manifest": 200, "tag": 403, "untag": 403, "delete": 403},
        "Writer": {"inspect": 403, "manifest": 200, "tag": 201, "untag": 200, "delete": 200},
    }
    for role, statuses in expected.items():
        key = tenant.service_key(role, role, tenant.namespace)
        who = Dock(server.api, Identity(server.api, tenant.account, key))
        seen = {
            name: who.call(method, path, **more).status_code
            for name, (method, path, more) in calls.items()
        }
        assert seen == statuses, role
        who.close()
