"""Two nodes on one database and one object store: whoever is asked, the answer is the same."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from sqlalchemy import text

from tests.support.backends import Backends
from tests.support.processes import children
from tests.support.server import Operator, Server, Tenant, free_ports, wharfd

MANIFEST = "application/vnd.oci.image.index.v1+json"
SECONDS = 60.0
MOVES = 25
T = TypeVar("T")


@dataclass
class Nodes:
    """Two servers, and the operator as each of them serves it."""

    servers: tuple[Server, Server]
    operator: Operator

    def tenant(self, name: str) -> Tenant:
        return self.operator.create_tenant(name)

    def clients(self, tenant: Tenant, repository: str) -> tuple[httpx.Client, httpx.Client]:
        """A client of each node, with one token for both."""
        token = tenant.registry_token([f"repository:{repository}:pull,push,delete"])
        headers = {"Authorization": f"Bearer {token}"}
        first, second = (
            httpx.Client(base_url=server.api, headers=headers, timeout=60)
            for server in self.servers
        )
        return first, second


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, backends: Backends) -> Iterator[Nodes]:
    """Started at the same moment, on an empty database."""
    folder = tmp_path_factory.mktemp("nodes")
    with backends("scaled") as settings:
        own = {**settings, "WHARFINGER_MASTER_KEY_FILE": str(folder / "the.key")}
        # Both workers of a node and both nodes have to agree.
        own["WHARFINGER_WORKERS"] = "2"
        own["WHARFINGER_JOBS_LEASE_SECONDS"] = "3"
        servers = (Server(folder / "a", settings=own), Server(folder / "b", settings=own))
        try:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(Server.start, servers))
            (first,) = (server for server in servers if server.operator.api_key)
            yield Nodes(servers, Operator.of(first))
        finally:
            for server in servers:
                server.stop()


def within(look: Callable[[], T], what: str) -> T:
    """Look until there is something to see; return it."""
    deadline = time.monotonic() + SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {SECONDS:.0f} s: {what}"
        time.sleep(0.05)
    return seen


def index(**annotations: str) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "manifests": []}
    return json.dumps({**document, "annotations": annotations}).encode()


def test_a_moved_tag_is_seen_at_once_on_the_other_node(nodes: Nodes) -> None:
    tenant = nodes.tenant("moves")
    here, there = nodes.clients(tenant, "moves/app")
    for number in range(MOVES):
        content = index(number=str(number))
        moved = here.put(
            "/v2/moves/app/manifests/latest",
            content=content,
            headers={"Content-Type": MANIFEST},
        )
        moved.raise_for_status()
        assert there.get("/v2/moves/app/manifests/latest").content == content
        assert there.get("/v2/moves/app/tags/list").json()["tags"] == ["latest"]
        here, there = there, here


def test_what_is_deleted_is_gone_at_once_on_the_other_node(nodes: Nodes) -> None:
    tenant = nodes.tenant("deletes")
    here, there = nodes.clients(tenant, "deletes/app")
    base = "/v2/deletes/app"
    for number in range(MOVES):
        content, blob = index(number=str(number)), b"%d" % number
        manifest = f"sha256:{sha256(content).hexdigest()}"
        digest = f"sha256:{sha256(blob).hexdigest()}"
        here.put(
            f"{base}/manifests/v1", content=content, headers={"Content-Type": MANIFEST}
        ).raise_for_status()
        here.post(f"{base}/blobs/uploads/?digest={digest}", content=blob).raise_for_status()
        for path in ("manifests/v1", f"manifests/{manifest}", f"blobs/{digest}"):
            # Every worker of both nodes has answered for it before.
            for client in (here, there) * 2:
                assert client.get(f"{base}/{path}").status_code == 200
            assert here.delete(f"{base}/{path}").status_code == 202
            for client in (there, here) * 2:
                assert client.get(f"{base}/{path}").status_code == 404
                assert client.head(f"{base}/{path}").status_code == 404
        here, there = there, here


def test_an_upload_begun_on_one_node_goes_on_on_the_other(nodes: Nodes) -> None:
    tenant = nodes.tenant("travels")
    here, there = nodes.clients(tenant, "travels/app")
    pieces = [os.urandom(300_000), os.urandom(200_000), os.urandom(100)]
    digest = f"sha256:{sha256(b''.join(pieces)).hexdigest()}"
    place = here.post("/v2/travels/app/blobs/uploads/").raise_for_status().headers["Location"]
    for piece in pieces:
        answer = here.patch(httpx.URL(place).raw_path.decode(), content=piece)
        place = answer.raise_for_status().headers["Location"]
        here, there = there, here
    path = httpx.URL(place).copy_add_param("digest", digest).raw_path.decode()
    assert here.put(path).status_code == 201
    assert there.get(f"/v2/travels/app/blobs/{digest}").content == b"".join(pieces)


def test_a_revoked_key_ends_on_the_other_node_within_the_bound(nodes: Nodes) -> None:
    tenant = nodes.tenant("revoked")
    other = Tenant(nodes.servers[1].api, tenant.account, tenant.service_key("ci", "Writer"))
    here, _ = nodes.clients(tenant, "revoked/app")
    path = "/v2/revoked/app/manifests/v1"
    here.put(path, content=index(), headers={"Content-Type": MANIFEST}).raise_for_status()
    pulling = {"Authorization": f"Bearer {other.registry_token(['repository:revoked/app:pull'])}"}
    assert other.http.get(path, headers=pulling).status_code == 200
    token = other.iam_token()
    headers = {"Authorization": f"Bearer {token}", "Account": tenant.account}
    keys = "/identity/v1/apikeys"
    assert other.http.get(keys, headers=headers).status_code == 200
    own = other.http.get(keys, headers=headers).json()
    (key,) = (one["id"] for one in (own if isinstance(own, list) else own["apikeys"]))

    iam = {"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account}
    tenant.http.delete(f"{keys}/{key}", headers=iam).raise_for_status()

    # Pulls with what it was given before end at once, on every worker.
    for _ in range(MOVES):
        assert other.http.get(path, headers=pulling).status_code == 401
        assert httpx.get(f"{nodes.servers[1].api}{path}", headers=pulling).status_code == 401
    # A new sign-in fails at once: nothing remembers keys.
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": other.api_key}
    assert other.http.post("/identity/token", data=form).status_code in {400, 401}
    within(
        lambda: other.http.get(keys, headers=headers).status_code == 401,
        "the end of a token whose key was revoked",
    )


def test_failed_sign_ins_count_on_both_nodes_together(nodes: Nodes) -> None:
    nodes.tenant("guessed")
    form = {"grant_type": "password", "username": "guessed@example.com", "password": "wrong"}
    answers = [
        httpx.post(f"{nodes.servers[number % 2].api}/identity/token", data=form, timeout=60)
        for number in range(14)
    ]
    codes = [answer.status_code for answer in answers]
    # Ten failures in a minute by default, wherever they were told.
    assert codes[-2:] == [429, 429]
    assert 429 not in codes[:10]
    assert codes.count(429) == 4


def test_tokens_are_signed_by_keys_that_both_nodes_publish(nodes: Nodes) -> None:
    rings = [httpx.get(f"{server.api}/identity/keys").json() for server in nodes.servers]
    assert rings[0]["keys"]
    assert rings[0] == rings[1]


def test_a_namespace_deleted_on_one_node_is_emptied_once_for_both(nodes: Nodes) -> None:
    tenant = nodes.tenant("leaving")
    here, there = nodes.clients(tenant, "leaving/app")
    put = here.put(
        "/v2/leaving/app/manifests/v1", content=index(), headers={"Content-Type": MANIFEST}
    )
    put.raise_for_status()
    iam = {"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account}

    tenant.http.delete("/api/v1/namespaces/leaving", headers=iam).raise_for_status()

    assert there.get("/v2/leaving/app/manifests/v1").status_code in {401, 404}

    def free() -> bool:
        answer = tenant.http.put("/api/v1/namespaces/leaving", headers=iam)
        return answer.is_success

    within(free, "the name of an emptied namespace to be free again")


def test_what_a_killed_node_was_working_on_is_finished_by_the_other(nodes: Nodes) -> None:
    tenant = nodes.tenant("orphaned")
    here, _ = nodes.clients(tenant, "orphaned/app")
    kind = {"Content-Type": MANIFEST}
    here.put("/v2/orphaned/app/manifests/v1", content=index(), headers=kind).raise_for_status()
    iam = {"Authorization": f"Bearer {tenant.iam_token()}", "Account": tenant.account}
    namespace = "/api/v1/namespaces/orphaned"
    with nodes.servers[0].database() as connection:
        # Whoever empties the namespace has to wait in the midst of it.
        held = "SELECT id FROM repositories WHERE name = 'orphaned/app' FOR UPDATE"
        assert connection.execute(text(held)).all()
        tenant.http.delete(namespace, headers=iam).raise_for_status()
        (holder,) = within(lambda: holders(nodes, "orphaned"), "a holder")
        victim, survivor = nodes.servers
        if holder not in children(victim.pid):
            victim, survivor = survivor, victim
        assert holder in children(victim.pid)
        victim.kill9()
    try:
        with httpx.Client(base_url=survivor.api, timeout=60) as http:
            within(
                lambda: http.put(namespace, headers=iam).is_success,
                "the name to be free again, by the work of the other node",
            )
        assert holders(nodes, "orphaned") == []
    finally:
        victim.start()


def holders(nodes: Nodes, subject: str) -> list[int]:
    """The processes that hold a job about something, as ``wharfd jobs`` tells."""
    done = subprocess.run(
        [wharfd(), "jobs", "--output", "json"],
        env=nodes.servers[0].environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    held = [job for job in json.loads(done.stdout) if subject in job["subject"] and job["holder"]]
    return [int(job["holder"].split(":")[1]) for job in held if job["state"] == "running"]


def test_one_node_goes_on_while_the_other_is_killed(nodes: Nodes) -> None:
    tenant = nodes.tenant("survivor")
    victim = next(server for server in nodes.servers if server.api != str(tenant.http.base_url))
    here, _ = nodes.clients(tenant, "survivor/app")
    here = httpx.Client(base_url=str(tenant.http.base_url), headers=here.headers, timeout=60)

    victim.kill9()
    try:
        headers = {"Content-Type": MANIFEST}
        path = "/v2/survivor/app/manifests/v1"
        assert here.put(path, content=index(), headers=headers).status_code == 201
        assert here.get(path).content == index()
    finally:
        victim.start()


def test_a_node_with_another_master_key_refuses_to_start(nodes: Nodes, tmp_path: Path) -> None:
    server = nodes.servers[0]
    foreign = {**server.environment(), "WHARFINGER_DATA": str(tmp_path / "foreign")}
    port, trust = free_ports(2)
    foreign |= {"WHARFINGER_PORT": str(port), "WHARFINGER_TRUST_PORT": str(trust)}
    del foreign["WHARFINGER_MASTER_KEY_FILE"]

    done = subprocess.run(
        [wharfd(), "serve"], env=foreign, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 1
    assert "sealed with another master key" in done.stderr
    assert "copy the file master.key" in done.stderr
    assert "Traceback" not in done.stderr
