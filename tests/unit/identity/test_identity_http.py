"""The token endpoints and ``/identity/v1`` as clients see them."""

import base64
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.routing import Mount, Router

from tests.unit.identity.house import PASSWORD, House
from wharfinger.audit import http as audit_http
from wharfinger.identity import http, http_v1
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control import control_application
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls

pytestmark = pytest.mark.anyio
API_KEY = "urn:ibm:params:oauth:grant-type:apikey"
BX = {"Authorization": "Basic Yng6Yng="}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def application(house: House) -> tuple[Surface, Threads]:
    threads = Threads(4)
    web = Web(
        house.settings, threads, Urls((), (), house.settings.served), house.clock, lambda: False
    )
    gate = Gate(web, house.services.tokens, house.services.access, house.owners)
    routers = [
        http_v1.router(house.services, web, gate),
        audit_http.router(house.audit, web, gate),
    ]
    control = control_application(web, routers, "test")
    routes = [*http.routes(house.services, web), Mount("/", control)]
    return Surface(Router(routes), web), threads


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app, threads = application(house)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    threads.close()


async def sign_in(client: httpx.AsyncClient, account: str, secret: str) -> dict[str, str]:
    answer = await client.post("/identity/token", data={"grant_type": API_KEY, "apikey": secret})
    return {
        "Authorization": f"Bearer {answer.json()['access_token']}",
        "Account": account,
    }


def basic(user: str, password: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


@pytest.mark.parametrize("path", ["/identity/token", "/oidc/token"])
async def test_the_exchange_answers_as_clients_expect(
    house: House, client: httpx.AsyncClient, path: str
) -> None:
    form = {
        "grant_type": API_KEY,
        "apikey": house.tenant("one").api_key,
        "response_type": "cloud_iam",
    }
    answer = await client.post(path, data=form, headers=BX)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["access_token"].count(".") == 2
    assert body["refresh_token"].count(".") == 2
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert body["expiration"] == int(house.clock.now) + 3600
    assert body["scope"] == "ibm openid"
    plain = await client.post(path, data=form)
    assert plain.json()["refresh_token"] == "not_supported"


@pytest.mark.parametrize(
    ("form", "headers", "status", "code"),
    [
        ({"grant_type": API_KEY, "apikey": "x"}, {}, 400, "BXNIM0415E"),
        ({"grant_type": API_KEY}, {}, 400, "BXNIM0109E"),
        ({"grant_type": "password", "username": "a@b", "password": "x"}, BX, 401, "BXNIM0602E"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, BX, 400, "BXNIM0407E"),
        ({"grant_type": API_KEY, "apikey": "a\x00b"}, {}, 400, "BXNIM0109E"),
        ({"grant_type": API_KEY, "apikey": "x"}, basic("me", "x"), 401, "BXNIM0225E"),
    ],
)
async def test_refused_exchanges_have_the_shape_of_iam(
    client: httpx.AsyncClient,
    form: dict[str, str],
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await client.post("/identity/token", data=form, headers=headers)
    body = answer.json()
    assert (answer.status_code, body["errorCode"]) == (status, code)
    assert body["errorMessage"]
    assert body["context"]["requestId"] == answer.headers["x-request-id"]


async def test_a_refresh_token_that_ended_and_an_account_of_others(
    house: House, client: httpx.AsyncClient
) -> None:
    form = {"grant_type": API_KEY, "apikey": house.tenant("one").api_key}
    given = (await client.post("/identity/token", data=form, headers=BX)).json()
    house.clock.now += house.settings.refresh_token_seconds + 2
    again = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    ended = await client.post("/identity/token", data=again, headers=BX)
    assert (ended.status_code, ended.json()["errorCode"]) == (400, "BXNIM0408E")

    for field in ("bss_account", "account"):
        foreign = form | {field: house.tenant(f"other-{field}").account}
        refused = await client.post("/identity/token", data=foreign)
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "BXNIM0141E")


async def test_the_words_for_an_unknown_api_key(client: httpx.AsyncClient) -> None:
    form = {"grant_type": API_KEY, "apikey": "x"}
    answer = await client.post("/identity/token", data=form)
    assert answer.json()["errorMessage"] == "Provided API key could not be found."


async def test_docker_gets_a_token(house: House, client: httpx.AsyncClient) -> None:
    tenant = house.tenant("one", "team")
    query: list[tuple[str, str | int | float | bool | None]] = [
        ("service", "registry"),
        ("scope", "repository:team/app:pull,push"),
        ("scope", "repository:team/base:pull repository:other/x:pull"),
        ("offline_token", "true"),
    ]
    answer = await client.get(
        "/oauth/token", params=query, headers=basic("iamapikey", tenant.api_key)
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == house.settings.registry_token_seconds
    assert body["issued_at"] == "2027-01-15T08:00:00Z"
    assert body["refresh_token"]
    part = body["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["access"] == [
        {"type": "repository", "name": "team/app", "actions": ["pull", "push"]},
        {"type": "repository", "name": "team/base", "actions": ["pull"]},
    ]


async def test_the_oauth2_form(house: House, client: httpx.AsyncClient) -> None:
    tenant = house.tenant("one", "team")
    form = {
        "grant_type": "password",
        "username": "iamapikey",
        "password": tenant.api_key,
        "service": "registry",
        "client_id": "containerd",
        "access_type": "offline",
        "scope": "repository:team/app:pull",
    }
    first = (await client.post("/oauth/token", data=form)).json()
    assert first["scope"] == "repository:team/app:pull"
    form = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "service": "registry",
        "client_id": "docker",
    }
    again = (await client.post("/oauth/token", data=form)).json()
    assert again["access_token"]
    assert again["refresh_token"] == first["refresh_token"]


async def test_nobody_gets_a_token_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/oauth/token", params={"service": "registry", "scope": ""})
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Bearer x", "Basic /w==", "x"]
)
async def test_a_damaged_authorization_is_not_taken_for_nobody(
    client: httpx.AsyncClient, header: str
) -> None:
    answer = await client.get("/oauth/token", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
    assert answer.headers["www-authenticate"] == 'Basic realm="registry", charset="UTF-8"'


async def test_an_unknown_service_and_a_broken_scope(client: httpx.AsyncClient) -> None:
    for query in ({"service": "elsewhere"}, {"service": "registry", "scope": "repository"}):
        answer = await client.get("/oauth/token", params=query)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["detail"]["help"]


async def test_guessing_is_answered_with_when_to_come_back(client: httpx.AsyncClient) -> None:
    headers = basic("someone@example.com", "wrong")
    codes = [(await client.get("/oauth/token", headers=headers)).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    answer = await client.get("/oauth/token", headers=headers)
    assert 0 < int(answer.headers["retry-after"]) <= 61


async def test_the_public_keys(house: House, client: httpx.AsyncClient) -> None:
    (key,) = (await client.get("/identity/keys")).json()["keys"]
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(key)


async def test_a_key_from_making_to_revoking(house: House, client: httpx.AsyncClient) -> None:
    tenant = house.tenant("one")
    headers = await sign_in(client, tenant.account, tenant.api_key)
    made = await client.post("/identity/v1/apikeys", json={"name": "ci"}, headers=headers)
    assert made.status_code == 201
    key = made.json()
    assert key["apikey"].startswith("whf_")
    listed = (await client.get("/identity/v1/apikeys", headers=headers)).json()["apikeys"]
    assert {entry["name"] for entry in listed} == {"first", "ci"}
    assert key["apikey"] not in json.dumps(listed)
    gone = await client.delete(f"/identity/v1/apikeys/{key['id']}", headers=headers)
    assert (gone.status_code, gone.content) == (204, b"")
    form = {"grant_type": API_KEY, "apikey": key["apikey"]}
    assert (await client.post("/identity/token", data=form)).status_code == 400


async def test_an_account_and_its_people(house: House, client: httpx.AsyncClient) -> None:
    account, _, secret = house.services.administration.bootstrap("ops@example.com")
    boss = await sign_in(client, account, secret)
    body = {"name": "acme", "owner_email": "a@acme.example", "owner_password": PASSWORD}
    made = await client.post("/identity/v1/accounts", json=body, headers=boss)
    assert made.status_code == 201
    acme = made.json()["id"]
    form = {"grant_type": "password", "username": "a@acme.example", "password": PASSWORD}
    token = (await client.post("/identity/token", data=form)).json()["access_token"]
    owner = {"Authorization": f"Bearer {token}", "Account": acme}
    user = await client.post(
        "/identity/v1/users", json={"email": "b@acme.example", "role": "Reader"}, headers=owner
    )
    assert user.status_code == 201
    assert user.json()["id"] == user.json()["iam_id"]
    robot = await client.post("/identity/v1/serviceids", json={"name": "ci"}, headers=owner)
    assert robot.status_code == 201
    policy = await client.post(
        "/identity/v1/policies",
        json={"iam_id": robot.json()["iam_id"], "role": "Writer", "namespace": None},
        headers=owner,
    )
    assert policy.status_code == 201
    trail = (await client.get("/api/v1/audit", params={"limit": 2}, headers=owner)).json()
    assert [entry["action"] for entry in trail["entries"]] == ["policy.create", "serviceid.create"]
    more = await client.get("/api/v1/audit", params={"start": trail["next"]}, headers=owner)
    assert more.json()["entries"][-1]["action"] == "account.create"
    refused = await client.post("/identity/v1/accounts", json={"name": "x"}, headers=owner)
    assert refused.status_code == 403


async def test_lists_are_paged(house: House, client: httpx.AsyncClient) -> None:
    tenant = house.tenant("one")
    for number in range(3):
        house.services.people.create_service_id(tenant.manager, str(number))
    headers = await sign_in(client, tenant.account, tenant.api_key)
    seen, query = [], {"limit": "2"}
    while True:
        page = (await client.get("/identity/v1/serviceids", params=query, headers=headers)).json()
        seen += [entry["name"] for entry in page["serviceids"]]
        if page["next"] is None:
            break
        query["start"] = page["next"]
    assert sorted(seen) == ["0", "1", "2"]


ROUTES = [
    (method, f"/identity/v1/{kind}{suffix}")
    for kind in ("accounts", "users", "serviceids", "apikeys", "policies")
    for method, suffix in (("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x"))
    if (kind, method) != ("accounts", "DELETE")
] + [("GET", "/api/v1/audit")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_call_needs_a_caller_of_the_account(
    house: House, client: httpx.AsyncClient, method: str, path: str
) -> None:
    one, two = house.tenant("one"), house.tenant("two")
    assert (await client.request(method, path)).status_code == 401
    foreign = {**await sign_in(client, one.account, one.api_key), "Account": two.account}
    assert (await client.request(method, path, headers=foreign)).status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"name": 1}, {"name": "x" * 300}, {"name": "k", "secret": "mine"}, [], None]
)
async def test_a_malformed_body_is_refused_without_repeating_it(
    house: House, client: httpx.AsyncClient, body: object
) -> None:
    tenant = house.tenant("one")
    headers = await sign_in(client, tenant.account, tenant.api_key)
    answer = await client.post("/identity/v1/apikeys", json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "BXNIM0109E"
    assert "mine" not in answer.text


async def test_the_calls_are_described(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    for method, path in ROUTES:
        assert method.lower() in paths[path.replace("/x", "/{id}")]
