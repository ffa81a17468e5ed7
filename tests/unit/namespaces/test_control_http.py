"""The control API over HTTP, in this process: statuses, bodies, odd requests, its description."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from tests.unit.namespaces.harbour import REGION, Account, Harbour
from wharfinger.audit import http as audit_http
from wharfinger.audit.service import AuditService
from wharfinger.audit.store import SqlAuditTrail
from wharfinger.identity import http_v1 as identity_http
from wharfinger.namespaces import http_v1 as namespaces_http
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control import control_application
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls

JSON = {"Content-Type": "application/json"}
GZIP = JSON | {"Content-Encoding": "gzip"}


class Client:
    """Calls an application in this process, one request after the other."""

    def __init__(self, app: ASGIApp) -> None:
        self._loop = asyncio.Runner()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        )

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._loop.run(self._http.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def close(self) -> None:
        self._loop.run(self._http.aclose())
        self._loop.close()


@dataclass
class Port:
    """A running control API, and who may call it."""

    harbour: Harbour
    client: Client
    acme: Account
    rival: Account

    def headers(self, who: Account, **more: str) -> dict[str, str]:
        """The headers of a call by the account's Manager."""
        people = self.harbour.identity
        _, secret = people.administration.operator_create_api_key(
            who.id, f"{self.names[who.id]}@example.com", "k"
        )
        grant = "urn:ibm:params:oauth:grant-type:apikey"
        token = people.sign_in.exchange(
            {"grant_type": grant, "apikey": secret}, "192.0.2.1", with_refresh=False
        )
        return {"Authorization": f"Bearer {token.access_token}", "Account": who.id, **more}

    @property
    def names(self) -> dict[str, str]:
        return {self.acme.id: "acme", self.rival.id: "rival"}

    def call(
        self, method: str, path: str, who: Account | None = None, **more: Any
    ) -> httpx.Response:
        headers = self.headers(who or self.acme) | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def put(self, name: str, who: Account | None = None, **headers: str) -> httpx.Response:
        return self.call("PUT", f"/api/v1/namespaces/{name}", who, headers=headers)


@pytest.fixture
def port(harbour: Harbour) -> Iterator[Port]:
    settings = harbour.settings
    threads = Threads(4)
    web = Web(settings, threads, Urls((), (), settings.served), harbour.clock, lambda: False)
    gate = Gate(web, harbour.identity.tokens, harbour.identity.access, harbour.owners)
    audit = AuditService(SqlAuditTrail(harbour.database), harbour.identity.access)
    routers = [
        namespaces_http.router(harbour.namespaces, web, gate),
        identity_http.router(harbour.identity, web, gate),
        audit_http.router(audit, web, gate),
    ]
    app = Surface(control_application(web, routers, "1.2.3"), web)
    client = Client(app)
    yield Port(harbour, client, harbour.account("acme"), harbour.account("rival"))
    client.close()
    threads.close()


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "message", "request-id", "entry", "help", "cure"}
    assert body["code"] == code
    assert body["help"]
    assert body["request-id"] == answer.headers["X-Request-Id"]
    return body


def test_a_namespace_is_new_then_ones_own_then_anothers(port: Port) -> None:
    first = port.put("team")
    assert (first.status_code, first.json()) == (201, {"namespace": "team"})
    second = port.put("team")
    assert (second.status_code, second.json()) == (200, {"namespace": "team"})
    taken = refused(port.put("team", port.rival), 409, "CRN0308E")
    assert taken["message"] == "The namespace 'team' is already in use."


@pytest.mark.parametrize(
    ("name", "status", "code", "entry"),
    [
        ("abc", 400, "CRN0007E", "WHF0301"),
        ("a" * 31, 400, "CRN0007E", "WHF0302"),
        ("_team", 400, "CRN0007E", "WHF0303"),
        ("Team", 400, "CRN0007E", "WHF0304"),
        ("t%C3%A9am", 400, "CRN0007E", "WHF0304"),
        ("team_", 400, "CRN0007E", "WHF0306"),
        ("details", 403, "CRN0008E", "WHF0307"),
    ],
)
def test_a_name_that_breaks_a_rule_names_the_rule(
    port: Port, name: str, status: int, code: str, entry: str
) -> None:
    assert refused(port.put(name), status, code)["entry"] == entry


def test_lists_hold_what_sdk_clients_read(port: Port) -> None:
    assert port.call("GET", "/api/v1/namespaces").json() == []
    port.put("plain")
    port.put("grouped", None, **{"X-Auth-Resource-Group": "g1"})
    assert port.call("GET", "/api/v1/namespaces").json() == ["grouped", "plain"]
    grouped, plain = port.call("GET", "/api/v1/namespaces/details").json()
    created = "2027-01-15T08:00:00Z"
    assert plain == {
        "name": "plain",
        "account": port.acme.id,
        "created_date": created,
        "updated_date": created,
    }
    assert grouped == {
        "name": "grouped",
        "account": port.acme.id,
        "created_date": created,
        "updated_date": created,
        "resource_group": "g1",
        "resource_created_date": created,
        "crn": f"crn:v1:bluemix:public:container-registry:{REGION}:a/{port.acme.id}"
        "::namespace:grouped",
    }


def test_a_group_is_assigned_once_and_needs_its_header(port: Port) -> None:
    port.put("team")
    path, group = "/api/v1/namespaces/team", {"X-Auth-Resource-Group": "g1"}
    refused(port.call("PATCH", path), 400, "CRN0313E")
    answer = port.call("PATCH", path, headers=group)
    assert (answer.status_code, answer.json()) == (200, {"namespace": "team"})
    refused(port.call("PATCH", path, headers=group), 409, "CRN0312E")
    foreign = refused(port.call("PATCH", path, port.rival, headers=group), 403, "CRG0020E")
    unknown = refused(
        port.call("PATCH", "/api/v1/namespaces/never", port.rival, headers=group), 403, "CRG0020E"
    )
    assert foreign["message"] == unknown["message"]


def test_deletion_answers_204_and_then_hides(port: Port) -> None:
    port.put("team")
    path = "/api/v1/namespaces/team"
    refused(port.call("DELETE", path, port.rival), 403, "CRG0020E")
    answer = port.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert refused(port.put("team"), 409, "CRN0309E")["entry"] == "WHF0309"
    port.harbour.work()
    refused(port.call("DELETE", path), 403, "CRG0020E")


def test_calls_without_token_or_account_or_with_anothers(port: Port) -> None:
    headers = port.headers(port.acme)
    path = "/api/v1/namespaces"
    anonymous = port.client.get(path)
    refused(anonymous, 401, "CRG0014E")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert anonymous.headers["X-Global-Transaction-ID"] == anonymous.headers["X-Request-Id"]
    refused(port.client.get(path, headers=headers | {"Authorization": "Bearer x"}), 401, "CRG0014E")
    del headers["Account"]
    assert port.client.get(path, headers=headers).status_code == 400
    foreign = headers | {"Account": port.rival.id}
    refused(port.client.get(path, headers=foreign), 401, "CRG0009E")


def test_another_method_gets_all_that_are_offered(port: Port) -> None:
    answer = port.call("POST", "/api/v1/namespaces/team")
    refused(answer, 405, "CRG0004E")
    assert answer.headers["Allow"] == "DELETE, PATCH, PUT"
    for path in ("/api/v1/openapi.json", "/api/v1/namespaces/details"):
        assert port.call("POST", path).headers["Allow"] == "GET, HEAD"


def test_another_path_gets_404_in_the_form_of_the_interface(port: Port) -> None:
    refused(port.call("GET", "/api/v1/nothing"), 404, "CRG0003E")
    refused(port.call("GET", "/api/v1/quotas/"), 404, "CRG0003E")


def test_a_gzip_body_is_read(port: Port) -> None:
    body = gzip.compress(json.dumps({"name": "robot"}).encode())
    answer = port.call("POST", "/identity/v1/serviceids", content=body, headers=GZIP)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "robot"


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b'{"name": "a", "name": "b"}', JSON, 400, "twice"),
        (b'{"name": "a\\u0000b"}', JSON, 400, "NUL"),
        (b'{"name": "a\\ud800"}', JSON, 400, "surrogate"),
        (b'{"name": NaN}', JSON, 400, "NaN"),
        (b'{"name": ' + b"9" * 5000 + b"}", JSON, 400, "JSON"),
        (b'{"name": "\xff"}', JSON, 400, "JSON"),
        (b"[" * 100_000, JSON, 400, "JSON"),
        (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, 400, "deep"),
        (b"{", JSON, 400, "JSON"),
        (b"{}", JSON, 400, "name"),
        (b'{"name": "a", "color": 1}', JSON, 400, "color"),
        (b"not gzip", GZIP, 400, "gzip"),
        (gzip.compress(b'{"name": "a"}')[:-4], GZIP, 400, "cut off"),
        (gzip.compress(b'{"name": "a"}') + b"more", GZIP, 400, "follows"),
        (gzip.compress(b" " * 50_000_000), GZIP, 413, "1048576"),
        (b"{}", JSON | {"Content-Encoding": "br"}, 400, "gzip"),
        (b" " * 2_000_000, JSON, 413, "1048576"),
    ],
)
def test_a_body_that_is_not_plain_json_is_refused(
    port: Port, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    answer = port.call("POST", "/identity/v1/serviceids", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    refusal = answer.json()
    assert word in refusal["errorMessage"]
    assert refusal["context"]["requestId"] == answer.headers["X-Request-Id"]


def test_escaped_backslashes_are_no_nul(port: Port) -> None:
    body = b'{"name": "a\\\\u0000b"}'
    answer = port.call("POST", "/identity/v1/serviceids", content=body, headers=JSON)
    assert answer.json()["name"] == "a\\u0000b"


def test_the_caller_is_refused_before_the_body_is_looked_at(port: Port) -> None:
    answer = port.client.request("POST", "/identity/v1/serviceids", content=b"x" * 2_000_000)
    assert answer.status_code == 401


def test_the_description_names_every_operation_and_its_errors(port: Port) -> None:
    document = port.client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    seen: set[str] = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert len(operation["summary"].split()) > 1, where
            assert {"4XX", "5XX"} <= set(operation["responses"]), where
            assert "422" not in operation["responses"], where
    assert {"add_namespace", "remove_namespace", "list_namespaces"} <= seen


def test_the_page_shows_all_operations_and_loads_nothing(port: Port) -> None:
    document = port.client.get("/api/v1/openapi.json").json()
    answer = port.client.get("/api/v1/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    for methods in document["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
