"""Several regions on one server: the host decides, and nothing of one is seen in another."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.server import APIKEY_GRANT, Server

SECONDS = 30.0
HOSTS = {"north": "north.example", "south": "south.example:8443", "global": "example"}
REGIONS = [
    {
        "name": name,
        "aliases": [f"{name}-1"],
        "hosts": [host],
        "networks": [{"cidrs": ["192.0.2.0/28"]}],
    }
    for name, host in HOSTS.items()
]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": f"sha256:{sha256(b'{}').hexdigest()}",
    "size": 2,
}
IMAGE = json.dumps(
    {"schemaVersion": 2, "mediaType": MANIFEST, "config": CONFIG, "layers": []}
).encode()


class Traveller:
    """Somebody with an API key, who calls one region after the other."""

    def __init__(self, api: str, account: str, key: str) -> None:
        self.account = account
        self.key = key
        self.http = httpx.Client(base_url=api, timeout=60)

    def call(self, region: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Host": HOSTS[region]} | more.pop("headers", {})
        return self.http.request(method, path, headers=headers, **more)

    def iam(self, region: str = "north") -> str:
        form = {"grant_type": APIKEY_GRANT, "apikey": self.key}
        return str(self.call(region, "POST", "/identity/token", data=form).json()["access_token"])

    def control(self, region: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.iam()}", "Account": self.account}
        return self.call(region, method, path, headers=headers, **more)

    def token(self, region: str, repository: str, actions: str = "pull,push,delete") -> str:
        query = {"service": "registry", "scope": f"repository:{repository}:{actions}"}
        answer = self.call(
            region, "GET", "/oauth/token", params=query, auth=httpx.BasicAuth("iamapikey", self.key)
        )
        return str(answer.json()["token"])

    def push(self, region: str, repository: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(region, repository)}"}
        blob = self.call(
            region,
            "POST",
            f"/v2/{repository}/blobs/uploads/",
            params={"digest": CONFIG["digest"]},
            content=b"{}",
            headers=headers,
        )
        if blob.status_code != 201:
            return blob
        path = f"/v2/{repository}/manifests/1"
        return self.call(
            region, "PUT", path, content=IMAGE, headers=headers | {"Content-Type": MANIFEST}
        )

    def pull(self, region: str, repository: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.call(region, "GET", f"/v2/{repository}/manifests/1", headers=headers)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"WHARFINGER_REGIONS": json.dumps(REGIONS)}
    with Server(tmp_path_factory.mktemp("regions") / "data", settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def operator(world: Server) -> Traveller:
    record = world.operator
    return Traveller(world.api, record.account, record.api_key)


def traveller(world: Server, operator: Traveller, name: str) -> Traveller:
    """A new account, its owner's API key, and no namespace."""
    email, password = f"{name}@example.com", "correct horse battery"
    body = {"name": name, "owner_email": email, "owner_password": password}
    account = operator.control("north", "POST", "/identity/v1/accounts", json=body).json()["id"]
    form = {"grant_type": "password", "username": email, "password": password}
    token = operator.call("north", "POST", "/identity/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Account": account}
    made = operator.call(
        "north", "POST", "/identity/v1/apikeys", json={"name": "key"}, headers=headers
    )
    return Traveller(world.api, account, made.json()["apikey"])


@pytest.fixture(scope="module")
def one(world: Server, operator: Traveller) -> Traveller:
    return traveller(world, operator, "one")


@pytest.fixture(scope="module")
def two(world: Server, operator: Traveller) -> Traveller:
    return traveller(world, operator, "two")


def test_a_host_that_no_region_knows_is_misdirected(world: Server) -> None:
    for path in ("/v2/", "/api/v1/regions", "/identity/token", "/oauth/token"):
        answer = httpx.get(world.api + path, headers={"Host": "elsewhere.example"})
        assert answer.status_code == 421, path
        assert "WHF0601" in answer.text
        # The help that it names is at the host that was called: perhaps no other can be reached.
        assert "http://elsewhere.example/help/errors/WHF0601" in answer.text
    page = f"{world.api}/help/errors/WHF0601"
    assert httpx.get(page, headers={"Host": "elsewhere.example"}).status_code == 200
    assert httpx.get(f"{world.api}/health/ready").status_code == 200


def test_the_list_of_regions_is_public(operator: Traveller) -> None:
    answer = operator.call("south", "GET", "/api/v1/regions").json()
    assert answer["current"] == "south"
    assert [one["name"] for one in answer["regions"]] == list(HOSTS)
    south = answer["regions"][1]
    assert south["aliases"] == ["south-1"]
    assert south["host"] == HOSTS["south"]
    assert south["networks"] == [
        {"cidrs": ["192.0.2.0/28"], "ports": [443, 4443], "protocol": "tcp"}
    ]
    assert [one["public_images"] for one in answer["regions"]] == [False, False, True]


def test_a_challenge_leads_back_to_the_host_that_was_called(operator: Traveller) -> None:
    for region, host in HOSTS.items():
        challenge = operator.call(region, "GET", "/v2/").headers["WWW-Authenticate"]
        assert f'realm="http://{host}/oauth/token"' in challenge


def test_one_name_belongs_to_two_accounts_in_two_regions(one: Traveller, two: Traveller) -> None:
    assert one.control("north", "PUT", "/api/v1/namespaces/team").status_code == 201
    assert two.control("north", "PUT", "/api/v1/namespaces/team").status_code == 409
    assert two.control("south", "PUT", "/api/v1/namespaces/team").status_code == 201
    assert one.control("north", "GET", "/api/v1/namespaces").json() == ["team"]
    assert one.control("south", "GET", "/api/v1/namespaces").json() == []

    assert one.push("north", "team/app").status_code == 201
    assert one.push("south", "team/app").status_code == 403
    assert two.token("north", "team/app") != two.token("south", "team/app")
    own = two.pull("south", "team/app", two.token("south", "team/app"))
    assert own.status_code == 404, "the image of the other region's namespace is not here"


def test_a_token_counts_in_its_own_region_only(one: Traveller) -> None:
    for region in ("north", "south"):
        one.control(region, "PUT", f"/api/v1/namespaces/both{region}")
        assert one.push(region, f"both{region}/app").status_code == 201
    token = one.token("north", "bothnorth/app")
    assert one.pull("north", "bothnorth/app", token).status_code == 200
    for path in ("/v2/", "/v2/bothnorth/app/manifests/1", "/v2/bothnorth/app/tags/list"):
        answer = one.call("south", "GET", path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_policy_counts_in_its_own_region_only(one: Traveller, two: Traveller) -> None:
    for region in ("north", "south"):
        one.control(region, "PUT", "/api/v1/namespaces/shared")
        assert one.push(region, "shared/app").status_code == 201
    body = {"iam_id": "anonymous", "role": "Reader", "namespace": "shared"}
    made = one.control("south", "POST", "/identity/v1/policies", json=body)
    assert made.json()["region"] == "south"
    seen = {
        region: two.pull(region, "shared/app", two.token(region, "shared/app")).status_code
        for region in ("north", "south")
    }
    assert seen == {"north": 403, "south": 200}


def test_plans_quotas_trash_and_usage_are_of_a_region(two: Traveller) -> None:
    for region in ("north", "south"):
        two.control(region, "PUT", "/api/v1/namespaces/dues")
        assert two.push(region, "dues/app").status_code == 201

    def told(region: str, path: str) -> Any:
        return two.control(region, "GET", f"/api/v1/{path}").raise_for_status().json()

    limit = {"storage_megabytes": 0}
    two.control("north", "PATCH", "/api/v1/quotas", json=limit).raise_for_status()
    assert told("north", "quotas")["limit"]["storage_bytes"] == 0
    assert told("south", "quotas")["limit"]["storage_bytes"] == -1
    two.control("north", "DELETE", "/api/v1/images/dues/app:1").raise_for_status()
    assert told("north", "quotas")["usage"]["storage_bytes"] == 0
    assert told("south", "quotas")["usage"]["storage_bytes"] == 2
    assert [len(told(region, "trash")) for region in ("north", "south")] == [1, 0]
    assert two.push("north", "dues/other").json()["errors"][0]["detail"]["code"] == "WHF0401"
    assert two.push("south", "dues/other").status_code == 201

    pulled = two.call(
        "south",
        "GET",
        f"/v2/dues/app/blobs/{CONFIG['digest']}",
        headers={"Authorization": f"Bearer {two.token('south', 'dues/app')}"},
    )
    assert pulled.content == b"{}"
    deadline = time.monotonic() + SECONDS
    while told("south", "usage")["months"][0]["traffic_bytes"] != 2:
        assert time.monotonic() < deadline, "the download was not counted"
        time.sleep(0.1)
    assert told("north", "usage")["months"][0]["traffic_bytes"] == 0


def test_only_operators_own_what_everybody_pulls(operator: Traveller, one: Traveller) -> None:
    refused = one.control("global", "PUT", "/api/v1/namespaces/ours")
    assert (refused.status_code, refused.json()["code"]) == (403, "CRN0602E")
    assert operator.control("global", "PUT", "/api/v1/namespaces/base").status_code == 201
    assert operator.push("global", "base/tool").status_code == 201
    assert one.push("global", "base/tool").status_code == 403
    assert one.pull("global", "base/tool", one.token("global", "base/tool")).status_code == 200
    nobody = operator.call(
        "global", "GET", "/oauth/token", params={"scope": "repository:base/tool:pull"}
    ).json()["token"]
    assert one.pull("global", "base/tool", nobody).status_code == 200
    catalog = one.call(
        "global", "GET", "/oauth/token", params={"scope": "registry:catalog:*"}
    ).json()["token"]
    listed = one.call(
        "global", "GET", "/v2/_catalog", headers={"Authorization": f"Bearer {catalog}"}
    )
    assert listed.json() == {"repositories": ["base/tool"]}


def test_public_images_are_listed_and_inspected_from_every_region(
    operator: Traveller, one: Traveller
) -> None:
    operator.control("global", "PUT", "/api/v1/namespaces/shown")
    assert operator.push("global", "shown/tool").status_code == 201
    one.control("north", "PUT", "/api/v1/namespaces/mine")
    assert one.push("north", "mine/app").status_code == 201
    public = f"{HOSTS['global']}/shown/tool:1"

    def listed(**query: str) -> set[str]:
        answer = one.control("north", "GET", "/api/v1/images", params=query)
        return {tag for image in answer.json() for tag in image["RepoTags"]}

    assert public not in listed()
    assert {public, f"{HOSTS['north']}/mine/app:1"} <= listed(includeIBM="true")
    assert public in listed(includeIBM="true", includePrivate="false")
    path = f"/api/v1/images/{quote(public, safe='')}/manifest"
    assert one.control("north", "GET", path).content == IMAGE
    assert one.control("north", "DELETE", path.removesuffix("/manifest")).status_code == 400
    assert one.control("global", "DELETE", path.removesuffix("/manifest")).status_code == 403
    other = quote(f"{HOSTS['south']}/mine/app:1", safe="")
    elsewhere = f"/api/v1/images/{other}/manifest"
    assert one.control("north", "GET", elsewhere).status_code == 400
