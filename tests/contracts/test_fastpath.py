"""The fast path answers exactly as the ordinary route would; all else it leaves alone."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest
from sqlalchemy import text

from tests.support.backends import every_backend
from tests.support.server import Server, Tenant

pytestmark = every_backend

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONTENT = b"\x00\x01\x02" * 1000
# Refused conditions and ranges send a request down the ordinary way without changing its answer.
ORDINARY = ({"If-None-Match": '"none"'}, {"Range": "lines=1-2"})


@pytest.fixture
def pushed(server: Server, tenant: Tenant) -> tuple[httpx.Client, str, dict[str, str]]:
    """A client, its repository, and the paths of what it pushed."""
    repository = f"{tenant.namespace}/fast"
    token = tenant.registry_token([f"repository:{repository}:pull,push,delete"])
    client = httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {token}"})
    digest = f"sha256:{sha256(CONTENT).hexdigest()}"
    client.post(
        f"/v2/{repository}/blobs/uploads/", params={"digest": digest}, content=CONTENT
    ).raise_for_status()
    descriptor = {"digest": digest, "size": len(CONTENT), "mediaType": "application/octet-stream"}
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": [descriptor]}
    ).encode()
    path = f"/v2/{repository}/manifests/v1"
    done = client.put(path, content=manifest, headers={"Content-Type": MANIFEST})
    by_digest = (
        f"/v2/{repository}/manifests/{done.raise_for_status().headers['Docker-Content-Digest']}"
    )
    return (
        client,
        repository,
        {
            "tag": path,
            "digest": by_digest,
            "blob": f"/v2/{repository}/blobs/{digest}",
        },
    )


def _facts(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    changing = {"date", "x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name not in changing}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("kind", ["tag", "digest", "blob"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("ordinary", ORDINARY, ids=["condition", "range"])
def test_same_answer_as_the_ordinary_route(
    pushed: tuple[httpx.Client, str, dict[str, str]],
    kind: str,
    method: str,
    ordinary: dict[str, str],
) -> None:
    client, _, paths = pushed

    fast = client.request(method, paths[kind])
    slow = client.request(method, paths[kind], headers=ordinary)

    assert fast.status_code == 200
    assert _facts(fast) == _facts(slow)


def test_a_moved_tag_is_seen_at_once(pushed: tuple[httpx.Client, str, dict[str, str]]) -> None:
    client, _, paths = pushed
    before = client.get(paths["tag"])
    changed = json.loads(before.content) | {"annotations": {"moved": "yes"}}
    content = json.dumps(changed).encode()

    client.put(paths["tag"], content=content, headers={"Content-Type": MANIFEST}).raise_for_status()

    assert client.get(paths["tag"]).content == content
    assert client.get(paths["digest"]).content == before.content


def test_a_tag_that_is_read_all_the_time_is_followed_wherever_it_moves(
    pushed: tuple[httpx.Client, str, dict[str, str]],
) -> None:
    """Each read is on a connection of its own, so by any worker."""
    client, _, paths = pushed
    document = json.loads(client.get(paths["tag"]).content)
    for turn in range(20):
        content = json.dumps(document | {"annotations": {"turn": str(turn)}}).encode()
        moved = client.put(paths["tag"], content=content, headers={"Content-Type": MANIFEST})
        moved.raise_for_status()
        for _ in range(3):
            assert httpx.get(
                client.base_url.join(paths["tag"]), headers=client.headers
            ).content == (content)
            assert client.get(paths["tag"]).content == content

    client.delete(paths["tag"]).raise_for_status()
    for _ in range(3):
        assert client.get(paths["tag"]).status_code == 404
        other = httpx.head(client.base_url.join(paths["tag"]), headers=client.headers)
        assert other.status_code == 404
    assert client.get(moved.headers["Location"]).content == content


def test_what_one_may_read_often_another_is_not_shown(
    pushed: tuple[httpx.Client, str, dict[str, str]], server: Server, tenant: Tenant
) -> None:
    client, repository, paths = pushed
    elsewhere = tenant.registry_token([f"repository:{repository}-other:pull"])
    stranger = httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {elsewhere}"})
    for _ in range(5):
        assert client.get(paths["tag"]).status_code == 200
        assert stranger.get(paths["tag"]).status_code == 401


@pytest.mark.parametrize("kind", ["tag", "digest", "blob"])
def test_no_token_is_challenged(
    pushed: tuple[httpx.Client, str, dict[str, str]], server: Server, kind: str
) -> None:
    _, _, paths = pushed

    answer = httpx.get(server.api + paths[kind])

    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("kind", ["tag", "digest", "blob"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("ordinary", [{}, *ORDINARY], ids=["fast", "condition", "range"])
def test_a_token_shows_nothing_but_what_it_is_for(
    pushed: tuple[httpx.Client, str, dict[str, str]],
    server: Server,
    tenant: Tenant,
    kind: str,
    method: str,
    ordinary: dict[str, str],
) -> None:
    """What is asked for exists, and its owner asks: only the token is not for it."""
    client, repository, paths = pushed
    assert client.request(method, paths[kind]).status_code == 200
    for scopes in ([f"repository:{repository}-other:pull"], [f"repository:{repository}:push"]):
        narrow = {"Authorization": f"Bearer {tenant.registry_token(scopes)}", **ordinary}
        answer = httpx.request(method, server.api + paths[kind], headers=narrow)
        assert answer.status_code == 401
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_key_reads_nothing_more(server: Server, tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/gone"
    service = tenant.create_service_id("ci")
    tenant.grant(service["iam_id"], "Writer")
    answer = httpx.post(
        f"{server.api}/identity/v1/apikeys",
        json={"name": "short", "iam_id": service["iam_id"]},
        headers={"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account},
    ).raise_for_status()
    key = answer.json()
    token = httpx.get(
        f"{server.api}/oauth/token",
        params={"service": "registry", "scope": f"repository:{repository}:pull,push"},
        auth=("iamapikey", key["apikey"]),
    ).json()["token"]
    client = httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {token}"})
    digest = f"sha256:{sha256(CONTENT).hexdigest()}"
    opened = f"/v2/{repository}/blobs/uploads/"
    client.post(opened, params={"digest": digest}, content=CONTENT).raise_for_status()
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    put = client.put(f"/v2/{repository}/manifests/v1", json=index, headers={"Content-Type": INDEX})
    put.raise_for_status()
    for path in (f"blobs/{digest}", "manifests/v1", "manifests/v1"):
        assert client.get(f"/v2/{repository}/{path}").status_code == 200

    httpx.delete(
        f"{server.api}/identity/v1/apikeys/{key['id']}",
        headers={"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account},
    ).raise_for_status()

    assert _ends(client, f"/v2/{repository}/blobs/{digest}")
    assert _ends(client, f"/v2/{repository}/manifests/v1")
    # Nor what others read all the time.
    token = tenant.registry_token([f"repository:{repository}:pull"])
    for _ in range(3):
        path, headers = f"/v2/{repository}/manifests/v1", {"Authorization": f"Bearer {token}"}
        assert client.get(path, headers=headers).status_code == 200
        assert client.get(path).status_code == 401


def _ends(client: httpx.Client, path: str, seconds: float = 60.0) -> bool:
    """Whether the read is refused within the documented bound."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if client.get(path).status_code == 401:
            return True
    return False


def test_pipelined_requests_are_answered_in_order(
    pushed: tuple[httpx.Client, str, dict[str, str]], server: Server
) -> None:
    """Plain reads are answered by the protocol itself, but never before what came earlier."""
    client, repository, paths = pushed
    authorization = f"Authorization: Bearer {client.headers['Authorization'][7:]}"
    targets = [paths["tag"], f"/v2/{repository}/tags/list", paths["digest"], paths["blob"]]
    targets += [paths["tag"]]
    expected = [client.get(target).content for target in targets]

    with socket.create_connection(("localhost", server.port), timeout=20) as connection:
        heads = [
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{authorization}" for target in targets
        ]
        heads[-1] += "\r\nConnection: close"
        connection.sendall("".join(f"{head}\r\n\r\n" for head in heads).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert list(_bodies(received)) == expected


def _bodies(stream: bytes) -> Iterator[bytes]:
    """Yield the bodies of the answers in ``stream``, each with its Content-Length."""
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        yield rest[:length]
        stream = rest[length:]


def _changed(server: Server, statement: str, **values: object) -> None:
    """Change the running service's database as only something from outside would."""
    with server.database() as database:
        assert database.execute(text(statement), values).rowcount > 0


def _linked_at(server: Server, digest: str) -> int:
    query = "SELECT min(linked_at) FROM repository_blobs WHERE digest = :digest"
    with server.database() as database:
        return int(database.execute(text(query), {"digest": digest}).scalar_one())


def test_asking_for_a_blob_extends_its_time_only_where_no_manifest_needs_it(
    pushed: tuple[httpx.Client, str, dict[str, str]], server: Server
) -> None:
    client, repository, paths = pushed
    content = repository.encode()
    lonely = f"sha256:{sha256(content).hexdigest()}"
    opened = f"/v2/{repository}/blobs/uploads/"
    client.post(opened, params={"digest": lonely}, content=content).raise_for_status()
    needed = paths["blob"].rpartition("/")[2]
    old = int(time.time()) - 80_000
    for digest in (lonely, needed):
        link = "UPDATE repository_blobs SET linked_at = :old WHERE digest = :digest"
        _changed(server, link, old=old, digest=digest)
        assert client.head(f"/v2/{repository}/blobs/{digest}").status_code == 200
    assert _linked_at(server, lonely) > old
    assert _linked_at(server, needed) == old


_DAMAGE = "UPDATE {} SET damaged_at = {} WHERE digest = :digest"


@pytest.mark.parametrize("ordinary", [{}, *ORDINARY], ids=["fast", "condition", "range"])
def test_what_is_known_to_be_damaged_is_never_served(
    pushed: tuple[httpx.Client, str, dict[str, str]], server: Server, ordinary: dict[str, str]
) -> None:
    client, _, paths = pushed
    blob, manifest = (paths[kind].rpartition("/")[2] for kind in ("blob", "digest"))
    for path in paths.values():
        assert client.get(path, headers=ordinary).status_code == 200
    _changed(server, _DAMAGE.format("blobs", "1"), digest=blob)
    _changed(server, _DAMAGE.format("manifests", "1"), digest=manifest)
    try:
        for path in paths.values():
            assert client.head(path, headers=ordinary).status_code == 404
            answer = client.get(path, headers=ordinary)
            assert answer.status_code == 404
            assert "damaged" in answer.json()["errors"][0]["message"]
    finally:
        # Other tests push the same content.
        _changed(server, _DAMAGE.format("blobs", "NULL"), digest=blob)


@pytest.mark.parametrize("length", [{}, {"Content-Length": "0"}], ids=["no length", "length"])
def test_an_upload_is_opened_as_by_the_ordinary_route(
    pushed: tuple[httpx.Client, str, dict[str, str]], length: dict[str, str]
) -> None:
    client, repository, _ = pushed
    path = f"/v2/{repository}/blobs/uploads/"

    def opened(query: str) -> tuple[httpx.Response, dict[str, str]]:
        request = client.build_request("POST", path + query)
        del request.headers["Content-Length"]
        request.headers.update(length)
        answer = client.send(request)
        _, headers, _ = _facts(answer)
        upload = headers.pop("docker-upload-uuid")
        assert headers.pop("location") == f"{server_of(client)}{path}{upload}"
        return answer, headers

    client.post(path).raise_for_status()  # whether there is room is known from now on
    fast, headers = opened("")
    slow, expected = opened("?digest-algorithm=sha256")

    assert (fast.status_code, fast.content) == (slow.status_code, slow.content) == (202, b"")
    assert headers == expected
    for answer in (fast, slow):
        done = client.put(
            answer.headers["Location"],
            params={"digest": f"sha256:{sha256(CONTENT).hexdigest()}"},
            content=CONTENT,
        )
        assert done.status_code == 201
        assert client.get(answer.headers["Location"]).status_code == 404


def server_of(client: httpx.Client) -> str:
    return str(client.base_url).rstrip("/")
