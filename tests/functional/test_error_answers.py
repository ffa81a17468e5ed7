"""No 4xx or 5xx leaves the server without its catalogue entry, in the language that was asked for.

Every route is called wrongly in several ways; whatever comes back as an error must carry an
entry's code, the entry's status, the request's id, a help URL that answers, and both languages.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.routes import served_routes
from tests.support.server import Server, Tenant
from wharfinger_common.catalogue import load

ENTRIES = load().entries
VALUES = {
    "name:path": "team/app",
    "name": "team",
    "id": "nothing",
    "reference": "latest",
    "digest": "sha256:" + "0" * 64,
    "upload": "nothing",
    "code": "WHF9999",
}


class Told(NamedTuple):
    """What an error answer tells about itself, the same on every surface."""

    code: str
    message: str
    help: str
    cure: str
    request_id: str


PAGE = re.compile(
    r'role="alert">(?P<message>.+?)<br>(?P<cure>.+?)<br><small>'
    r'<a href="(?P<help>[^"]+)">(?P<code>\w+)</a> · (?P<request_id>\w+)<'
)


def told(answer: httpx.Response) -> Told:
    if answer.headers["Content-Type"].startswith("text/html"):
        page = PAGE.search(answer.text)
        assert page is not None, answer.text
        return Told(**page.groupdict())
    body: Mapping[str, Any] = answer.json()
    if "errors" in body:
        error = body["errors"][0]
        detail = error["detail"]
        return Told(
            detail["code"], error["message"], detail["help"], detail["cure"], detail["request_id"]
        )
    if "errorCode" in body:
        context = body["context"]
        return Told(
            context["entry"],
            body["errorMessage"],
            context["help"],
            body["errorDetails"],
            context["requestId"],
        )
    return Told(body["entry"], body["message"], body["help"], body["cure"], body["request-id"])


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.api, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paths of all routes, with something in their placeholders."""
    found = {route.partition(" ")[2] for route in served_routes(tmp_path_factory.mktemp("routes"))}
    return sorted(_filled(path) for path in found)


def _filled(path: str) -> str:
    for part in path.split("{")[1:]:
        name = part.partition("}")[0]
        path = path.replace(f"{{{name}}}", VALUES.get(name, "nothing"))
    return path


def wrong_calls(path: str) -> Iterator[dict[str, Any]]:
    """Calls of ``path`` that mostly go wrong, each in its own way."""
    junk = {"Authorization": "Bearer junk", "Account": "nobody"}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        yield {"method": method, "url": path}
        yield {"method": method, "url": path, "headers": junk, "content": b"\x00{"}
    yield {"method": "PROPFIND", "url": path}
    yield {"method": "GET", "url": f"{path}/%2e%2e/x"}
    yield {"method": "GET", "url": path, "headers": {"Authorization": "Basic !"}}


def test_every_error_of_every_route_has_its_entry(http: httpx.Client, paths: list[str]) -> None:
    seen = set()
    for path in paths:
        for call in wrong_calls(path):
            answer = http.request(**call)
            if answer.status_code >= 400:
                about = told(answer)
                assert ENTRIES[about.code].status == answer.status_code, call
                assert about.request_id == answer.headers["X-Request-Id"]
                assert about.message
                assert about.cure
                assert answer.headers["Content-Language"] == "en"
                assert "Accept-Language" in answer.headers["Vary"]
                seen.add(about.help)

    assert len(seen) > 3
    for url in seen:
        page = http.get(url)
        assert page.status_code == 200
        assert url.rpartition("/")[2] in page.text


@pytest.mark.parametrize(
    ("method", "path", "chinese"),
    [
        ("GET", "/v2/", "需要认证"),
        ("GET", "/v2/team/app/manifests/latest", "需要认证"),
        ("GET", "/api/v1/namespaces", "需要认证"),
        ("POST", "/identity/token", "属性缺失或为空：grant_type"),
        ("GET", "/nowhere", "此路径上没有提供任何内容"),
    ],
)
def test_the_language_is_the_one_that_was_asked_for(
    http: httpx.Client, method: str, path: str, chinese: str
) -> None:
    answer = http.request(method, path, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})

    assert told(answer).message == chinese
    assert answer.headers["Content-Language"] == "zh-Hans"
    assert told(http.request(method, path)).message.isascii()


def test_who_is_signed_in_with_too_little_is_not_only_told_to_sign_in(tenant: Tenant) -> None:
    token = tenant.registry_token([f"repository:{tenant.namespace}/other:pull"])
    headers = {"Authorization": f"Bearer {token}", "Account": tenant.account}
    for path in (f"/v2/{tenant.namespace}/app/tags/list", "/api/v1/namespaces"):
        answer = tenant.http.get(path, headers=headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"]
        assert "scope that the WWW-Authenticate header names" in told(answer).cure
        assert any("scope" in cause for cause in ENTRIES[told(answer).code].causes)


def test_a_reason_within_a_message_is_translated_too(http: httpx.Client) -> None:
    answer = http.get("/v2/%2e%2e/x", headers={"Accept-Language": "zh"})

    assert told(answer).message == "请求路径格式错误：含有点号路径段"
    assert answer.json()["errors"][0]["detail"]["reason"] == "含有点号路径段"


def test_help_is_a_page_for_browsers_and_text_for_others(http: httpx.Client) -> None:
    page = http.get("/help/errors/WHF0014", headers={"Accept": "text/html"})
    text = http.get("/help/errors/whf0014")

    assert page.headers["Content-Type"].startswith("text/html")
    assert '<html lang="en">' in page.text
    assert 'href="/help/errors/WHF0014?language=zh-Hans"' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.text.startswith("WHF0014  authentication required\n")
    for answer in (page, text):
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["Vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize("kind", ["text/html", "*/*"])
def test_help_has_a_page_in_each_language_for_each_code(http: httpx.Client, kind: str) -> None:
    headers = {"Accept": kind, "Accept-Language": "en"}
    for code in ENTRIES:
        english = http.get(f"/help/errors/{code}", headers=headers)
        chinese = http.get(f"/help/errors/{code}?language=zh-Hans", headers=headers)
        assert english.headers["Content-Language"] == "en"
        assert chinese.headers["Content-Language"] == "zh-Hans"
        assert "What to do" in english.text
        assert "处理办法" in chinese.text


@pytest.mark.parametrize("kind", ["text/html", "*/*"])
def test_help_lists_every_code(http: httpx.Client, kind: str) -> None:
    text = http.get("/help/errors", headers={"Accept": kind}).text

    assert not [code for code in ENTRIES if code not in text]


def test_help_about_no_code_is_refused(http: httpx.Client) -> None:
    code = f"<script>{uuid.uuid4().hex}"
    answer = http.get(f"/help/errors/{code}", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert told(answer).code == "WHF0003"
    assert code not in answer.text


def test_the_operators_own_help_is_named_instead(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {"WHARFINGER_HELP_URL": "https://wiki.example.com/registry?about={code}"}
    with Server(tmp_path_factory.mktemp("helped") / "data", settings=settings) as server:
        answer = httpx.get(f"{server.api}/v2/")

    assert json.loads(answer.text)["errors"][0]["detail"]["help"] == (
        "https://wiki.example.com/registry?about=WHF0014"
    )
