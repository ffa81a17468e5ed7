"""Quotas through the running service: where refusals stand, that cures work, that usage is told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.conftest import NewTenant
from tests.support.clocks import at
from tests.support.server import Operator, Server, Tenant

MB = 1 << 20
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
STORAGE = (
    "You have exceeded your storage quota. Delete one or more images, or review your storage quota "
    "and pricing plan"
)
TRAFFIC = (
    "You have exceeded your pull traffic quota for the current month. Review your pull traffic "
    "quota and pricing plan"
)
SETTLED_SECONDS = 60.0


class Client:
    """A plain client of one repository."""

    def __init__(self, tenant: Tenant, name: str = "app") -> None:
        self.tenant = tenant
        repository = f"{tenant.namespace}/{name}"
        self.token = tenant.registry_token([f"repository:{repository}:pull,push,delete"])
        self.http = httpx.Client(
            base_url=str(tenant.http.base_url),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        self.blobs = f"/v2/{repository}/blobs"

    def open(self) -> httpx.Response:
        return self.http.post(f"{self.blobs}/uploads/")

    def push(self, content: bytes) -> httpx.Response:
        """Push as docker does, up to the first refusal."""
        opened = self.open()
        if opened.status_code != 202:
            return opened
        sent = self.http.patch(opened.headers["Location"], content=content)
        assert sent.status_code == 202, sent.text
        return self.http.put(sent.headers["Location"], params={"digest": digest(content)})

    def get(self, content: bytes, **headers: str) -> httpx.Response:
        return self.http.get(f"{self.blobs}/{digest(content)}", headers=headers)


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def require_denied(answer: httpx.Response, message: str) -> None:
    assert answer.status_code == 403, answer.text
    error = answer.json()["errors"][0]
    assert (error["code"], error["message"]) == ("DENIED", message)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLED_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def client(tenant: Tenant) -> Iterator[Client]:
    client = Client(tenant)
    yield client
    client.http.close()


def test_storage_is_refused_at_the_post_and_deleting_cures_it(client: Client) -> None:
    client.tenant.set_quotas(storage=1)
    content = b"x" * MB
    assert client.push(content).status_code == 201

    require_denied(Client(client.tenant, "web").open(), STORAGE)

    client.http.delete(f"{client.blobs}/{digest(content)}").raise_for_status()
    assert client.push(b"y").status_code == 201


def test_storage_is_asked_again_at_the_end(client: Client) -> None:
    """A whole push in one request has no bodiless one before; its body is read to the end."""
    client.tenant.set_quotas(storage=0)
    content = b"z" * (3 * MB)

    answer = client.http.post(
        f"{client.blobs}/uploads/", params={"digest": digest(content)}, content=content
    )

    require_denied(answer, STORAGE)
    assert client.tenant.quotas()["usage"]["storage_bytes"] == 0


def test_a_larger_own_limit_and_a_larger_plan_cure_it(
    server: Server, new_tenant: NewTenant
) -> None:
    operator = Operator.of(server)
    tenant = operator.create_tenant(new_tenant().namespace + "p", "free")
    operator.close()
    client = Client(tenant)
    assert tenant.quotas()["limit"] == {"storage_bytes": 512 * MB, "traffic_bytes": 5120 * MB}
    tenant.set_quotas(storage=0)
    require_denied(client.open(), STORAGE)
    tenant.set_quotas(storage=512)
    assert client.open().status_code == 202

    tenant.upgrade_plan("STANDARD")

    assert tenant.quotas()["limit"] == {"storage_bytes": -1, "traffic_bytes": -1}
    assert client.push(b"more").status_code == 201


def test_traffic_is_refused_on_get_never_on_head(client: Client) -> None:
    content = b"t" * MB
    assert client.push(content).status_code == 201
    client.tenant.set_quotas(traffic=1)
    assert client.get(content).content == content

    require_denied(client.get(content), TRAFFIC)
    require_denied(client.get(content, Range="bytes=0-0"), TRAFFIC)

    path = f"{client.blobs}/{digest(content)}"
    for headers in ({}, {"Range": "bytes=0-9"}):  # by the short path, and by the ordinary one
        assert client.http.head(path, headers=headers).status_code == 200
    assert client.get(content, **{"If-None-Match": f'"{digest(content)}"'}).status_code == 304
    client.tenant.set_quotas(traffic=2)
    assert client.get(content).content == content


def test_who_downloads_is_told_when_little_traffic_is_left(client: Client) -> None:
    large, small = b"l" * (900 * 1024), b"s"
    for content in (large, small):
        assert client.push(content).status_code == 201
    client.tenant.set_quotas(traffic=1)
    assert "Warning" not in client.get(small).headers
    client.get(large).raise_for_status()

    eventually(lambda: "Warning" in client.get(small).headers)
    for headers in ({}, {"Range": "bytes=0-0"}):  # by the short path, and by the ordinary one
        (value,) = client.get(small, **headers).headers.get_list("Warning")
        assert value.startswith('299 - "')
        assert value.endswith('(WHF1004)"')
    client.tenant.set_quotas(traffic=100)
    eventually(lambda: "Warning" not in client.get(small).headers)


def test_traffic_is_what_was_granted(client: Client) -> None:
    content = b"u" * 10_000
    assert client.push(content).status_code == 201
    path = f"{client.blobs}/{digest(content)}"

    client.get(content).raise_for_status()
    client.get(content, Range="bytes=0-99").raise_for_status()
    for headers in ({}, {"Range": "bytes=0-9"}):  # by the short path, and by the ordinary one
        client.http.head(path, headers=headers).raise_for_status()
    client.get(content, **{"If-None-Match": f'"{digest(content)}"'})

    eventually(lambda: client.tenant.quotas()["usage"]["traffic_bytes"] == 10_100)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        # There it is April already, by a clock that was set forward four days ago.
        ("Europe/Berlin", "2027-03-31T23:00", "2027-04-01T00:10"),
        # There it is October still, a week before clocks are set back.
        ("America/New_York", "2027-10-31T23:30", "2027-11-01T00:10"),
    ],
)
def test_months_end_at_midnight_utc_wherever_the_machine_is(
    tmp_path: Path, zone: str, before: str, after: str
) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (before, after)]
    with Server(tmp_path / "data", settings=at(moments[0], zone)) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("monthly")
        operator.close()
        content = b"m" * MB
        client = Client(tenant)
        assert client.push(content).status_code == 201
        tenant.set_quotas(traffic=1)
        client.get(content).raise_for_status()
        require_denied(client.get(content), TRAFFIC)
        client.http.close()

        server.settings |= at(moments[1], zone)
        server.restart()

        client = Client(tenant)
        client.get(content).raise_for_status()
        require_denied(client.get(content), TRAFFIC)
        told = tenant.usage(before[:7], after[:7])
        assert [(one["month"], one["traffic_bytes"]) for one in told] == [
            (before[:7], MB),
            (after[:7], MB),
        ]
        # A megabyte for an hour, and for ten minutes: what a month has of it, in GB-months.
        assert 0 < told[1]["storage_gb_months"] < told[0]["storage_gb_months"] < 1 / 1024
        client.http.close()
        tenant.close()


def test_usage_is_told_as_json_and_csv(client: Client) -> None:
    client.push(b"v" * 1000)
    headers = {
        "Authorization": f"Bearer {client.tenant.iam_token()}",
        "Account": client.tenant.account,
    }

    told = client.http.get("/api/v1/usage", headers=headers).raise_for_status().json()
    table = client.http.get("/api/v1/usage", params={"format": "csv"}, headers=headers)

    assert told["account"] == client.tenant.account
    assert [one["traffic_bytes"] for one in told["months"]] == [0]
    assert table.headers["Content-Type"].startswith("text/csv")
    first, second = table.text.splitlines()
    assert first == "region,account,month,storage_gb_months,traffic_bytes"
    assert second.startswith(f"local,{client.tenant.account},{told['months'][0]['month']},")
    assert re.fullmatch(r"\d+\.\d{9}", second.split(",")[3])  # never 1e-09


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_sixty_four_clients_at_once_into_the_last_megabytes(tmp_path: Path, mode: str) -> None:
    """Each pushes one image after the other until it is refused, so far more than there is room."""
    size, room, clients = 256 * 1024, 4 * MB, 64
    settings = {"WHARFINGER_QUOTA_ENFORCEMENT": mode, "WHARFINGER_WORKERS": "2"}
    with Server(tmp_path / "data", settings=settings) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("crowd")
        tenant.set_quotas(storage=room // MB)

        def push(number: int) -> int:
            """The number of images that were let in before the first refusal."""
            for done in range(room // size + 1):
                client = Client(tenant, f"app{number}-{done}")
                answer = client.push(f"{number:02} {done:02} ".encode() * (size // 6))
                client.http.close()
                if answer.status_code != 201:
                    require_denied(answer, STORAGE)
                    return done
            raise AssertionError("one client alone pushed more than there was room for")

        with ThreadPoolExecutor(clients) as pool:
            done = sum(pool.map(push, range(clients)))
        used = tenant.quotas()["usage"]["storage_bytes"]
        assert used == done * (size // 6 * 6)
        if mode == "strict":
            assert 0 < used <= room
        else:
            # Beyond the limit is at most what each of them had under way when it was reached.
            assert room <= used < room + clients * size
        require_denied(Client(tenant, "late").push(b"w" * room), STORAGE)
        tenant.close()
        operator.close()


def test_a_refusal_is_explained_to_the_owner_with_the_quota_that_answered(client: Client) -> None:
    client.tenant.set_quotas(storage=0)
    refused = client.open()

    told = client.tenant.explained(refused.headers["X-Request-Id"])

    assert told["rule"]["kind"] == "quota"
    assert told["rule"]["values"]["limit_bytes"] == 0


def test_a_quota_that_is_nearly_used_is_told_with_the_push(tmp_path: Path) -> None:
    settings = {"WHARFINGER_QUOTA_REMEMBER_SECONDS": "0"}
    with Server(tmp_path / "data", settings=settings) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("nearly")
        client = Client(tenant)
        tenant.set_quotas(storage=1)
        for size, warned in ((MB * 8 // 10, False), (MB // 10, True)):
            content = bytes([size % 251]) * size
            assert client.push(content).status_code == 201
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": digest(content), "size": size},
                "layers": [],
            }
            path = client.blobs.replace("/blobs", "/manifests/v1")
            answer = client.http.put(path, json=manifest, headers={"Content-Type": MANIFEST})
            assert answer.status_code == 201, answer.text
            assert ("WHF1003" in answer.headers.get("Warning", "")) is warned
        client.http.close()
        tenant.close()
        operator.close()
