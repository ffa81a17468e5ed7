"""The log: one line a request, with what an operator needs and nothing that is secret."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import APIKEY_GRANT, Operator, Server, Tenant

FIELDS = {"request_id", "account", "method", "route", "status", "code", "seconds"}


def _lines(server: Server) -> list[dict[str, Any]]:
    text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "request"]


def _line(server: Server, answer: httpx.Response) -> dict[str, Any]:
    """The line of the request that got this answer; it may be written just after."""
    wanted = answer.headers["X-Request-Id"]
    return _found(lambda: [line for line in _lines(server) if line["request_id"] == wanted])


def _found(look: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (only,) = found
    return only


def test_each_request_has_one_line_with_its_facts(watched: Server, guest: Tenant) -> None:
    token = guest.registry_token(["repository:observed/log:pull,push"])
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=watched.api, headers=headers) as client:
        opened = client.post("/v2/observed/log/blobs/uploads/")
        patched = client.patch(opened.headers["Location"], content=b"x" * 1000)
        missing = client.get("/v2/observed/log/manifests/none")
        stranger = httpx.get(f"{watched.api}/v2/observed/log/tags/list")

    line = _line(watched, patched)
    assert set(line) >= FIELDS
    assert (line["method"], line["status"], line["code"]) == ("PATCH", 202, "")
    assert line["route"] == "/v2/{name}/blobs/uploads/{upload}"
    assert line["account"] == guest.account
    assert line["received"] == 1000
    assert 0 < line["seconds"] < 60
    assert _line(watched, missing)["code"] == "WHF0110"
    assert _line(watched, missing)["sent"] == len(missing.content)
    assert (_line(watched, stranger)["status"], _line(watched, stranger)["account"]) == (401, "")


def test_fast_reads_have_their_lines_too(watched: Server, guest: Tenant) -> None:
    token = guest.registry_token(["repository:observed/log:pull,push"])
    headers = {"Authorization": f"Bearer {token}"}
    index = "application/vnd.oci.image.index.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": index, "manifests": []}).encode()
    with httpx.Client(base_url=watched.api, headers=headers) as client:
        path = "/v2/observed/log/manifests/v1"
        client.put(path, content=body, headers={"Content-Type": index})
        read = client.get(path)

    line = _line(watched, read)
    assert read.content == body
    assert (line["status"], line["sent"], line["account"]) == (200, len(body), guest.account)


def test_no_secret_reaches_the_log(watched: Server, guest: Tenant) -> None:
    password = "never-to-be-logged-4711"
    operator = Operator.of(watched)
    operator.create_user("quiet@example.com", "Reader", password)
    iam = guest.iam_token()
    registry = guest.registry_token(["repository:observed/log:pull"])
    basic = base64.b64encode(f"iamapikey:{guest.api_key}".encode()).decode()
    http = httpx.Client(base_url=watched.api)
    http.get("/oauth/token", headers={"Authorization": f"Basic {basic}"}, params={"scope": "x"})
    http.get("/v2/", headers={"Authorization": f"Bearer {registry}x"})
    http.get("/v2/", headers={"Authorization": f"Bearer {iam}"})
    http.get(f"/{password}", params={"token": registry, "apikey": guest.api_key})
    http.post("/identity/token", data={"grant_type": APIKEY_GRANT, "apikey": f"{guest.api_key}x"})
    form = {"grant_type": "password", "username": "quiet@example.com", "password": password}
    http.post("/identity/token", data=form)
    http.post("/identity/token", data=form | {"password": f"{password}?"})
    http.post("/identity/token", content=password.encode())
    last = http.get("/v2/", headers={"Cookie": f"session={password}", "X-Secret": password})
    _line(watched, last)

    log = watched.log.read_text()
    secrets = (password, iam, registry, guest.api_key, basic, operator.api_key)
    assert not [secret for secret in secrets if secret in log]
    assert registry.rpartition(".")[2] not in log


def test_a_trusted_proxys_request_id_is_kept_if_well_formed(tmp_path: Path) -> None:
    settings = {"WHARFINGER_TRUSTED_PROXIES": "127.0.0.0/8"}
    with Server(tmp_path / "data", settings=settings) as server:
        token = Operator.of(server).registry_token()

        def told(given: str, path: str = "/v2/") -> str:
            headers = {"X-Request-Id": given, "Authorization": f"Bearer {token}"}
            answer = httpx.get(server.api + path, headers=headers)
            return str(answer.headers["X-Request-Id"])

        assert told("trace-0123456789.abc") == "trace-0123456789.abc"
        assert told("trace-0123456789", "/nothing") == "trace-0123456789"
        for malformed in ("short", "x" * 65, 'quote"s-and more', "percent%20and/slash"):
            assert told(malformed) != malformed
        refused = httpx.get(f"{server.api}/nothing", headers={"X-Request-Id": "trace-error-line"})
        assert refused.status_code == 404
        line = _line(server, refused)
        assert (line["request_id"], line["code"]) == ("trace-error-line", "WHF0003")


def test_a_strangers_request_id_is_not(server: Server) -> None:
    answer = httpx.get(f"{server.api}/v2/", headers={"X-Request-Id": "trace-0123456789"})

    assert answer.headers["X-Request-Id"] != "trace-0123456789"


def test_by_default_only_what_went_wrong_is_logged(server: Server, tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/app"
    token = tenant.registry_token([f"repository:{repository}:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.api) as client:
        challenged = client.get("/v2/")
        looked = client.head(f"/v2/{repository}/manifests/none", headers=headers)
        good = client.get("/v2/", headers=headers)
        wrong = client.get("/v2/", headers={"Authorization": "Bearer nonsense"})

    assert _line(server, wrong)["code"] == "WHF0014"
    assert (challenged.status_code, looked.status_code, good.status_code) == (401, 404, 200)
    quiet = {answer.headers["X-Request-Id"] for answer in (challenged, looked, good)}
    assert not quiet & {line["request_id"] for line in _lines(server)}
