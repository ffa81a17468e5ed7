"""The manifest half of the OCI API over HTTP: statuses, headers, bodies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from msgspec.structs import replace
from starlette.routing import Router

from tests.support.registry_manifests import (
    EMPTY,
    REGION,
    House,
    descriptor,
    encoded,
    image,
    index,
)
from wharfinger.identity.model import Caller, Claims, TokenType, Visibility
from wharfinger.registry.http import catalog, manifests, referrers, tags
from wharfinger.registry.model.manifests import (
    OCI_ARTIFACT,
    OCI_INDEX,
    OCI_MANIFEST,
    manifest_headers,
)
from wharfinger.registry.service.catalog import Catalogue
from wharfinger.registry.service.referrers import Referrers
from wharfinger.registry.service.tags import Tags
from wharfinger.registry.store.catalog import SqlCatalog
from wharfinger.registry.store.referrers import SqlReferrerLists
from wharfinger.registry.store.tags import SqlTagLists
from wharfinger.settings import Settings
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.notices import Adviser, Notice, Silent
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls
from wharfinger_common.catalogue import notices as entries
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Rule

APP = "/v2/tenant/app"


class Tokens:
    """Takes the token itself for the actions that it grants on ``tenant/app``."""

    def verify(self, token: str, typ: TokenType, audience: str) -> Claims:
        claims = Claims(typ, audience, REGION, "a", "who", "credential", 0, 0, 1 << 40)
        actions, _, ends = token.partition(";ends=")
        access = {"tenant/app": frozenset(actions.split(","))}
        return replace(claims, access=access, catalog=token == "catalog", ends=int(ends or 0))

    verify_at_once = verify

    def is_current(self, claims: Claims) -> bool:
        return True

    def remembers_current(self, claims: Claims) -> bool:
        return False


class NoPolicies:
    """No other token would do, either."""

    def may(self, claims: Claims, region: str, repository: str, action: str) -> bool:
        return False

    def rule(self, claims: Claims, region: str, repository: str, actions: Sequence[str]) -> Rule:
        return Rule("policy", {}, "policies")

    def caller(self, claims: Claims, account: str, request_id: str) -> Caller:
        raise NotImplementedError

    def visible_to(self, claims: Claims, /) -> Visibility:
        return Visibility(frozenset({"a"}), frozenset())


class Talkative:
    """Has advice for every push, if it is not broken."""

    broken = False

    def advise(self, region: str, repository: str) -> Sequence[Notice]:
        if self.broken:
            raise OSError("away")
        return [Notice(entries.CREDENTIAL_ENDS_SOON, {"minutes": 1})]


class Client:
    """Sends requests to the routes, with a token for everything unless told otherwise."""

    def __init__(self, house: House, adviser: Adviser | None = None) -> None:
        settings = Settings(page_entries=3, manifest_bytes=64 << 10)
        self.threads = Threads(2)
        web = Web(
            settings,
            self.threads,
            Urls((), (), settings.served),
            lambda: 0.0,
            lambda: False,
            adviser=adviser or Silent(),
        )
        gate = Gate(web, Tokens(), NoPolicies(), house)
        lists = Tags(SqlTagLists(house.database), house, 3)
        found = Referrers(SqlReferrerLists(house.database), house, 3, 64 << 10)
        catalogue = Catalogue(SqlCatalog(house.database), NoPolicies(), 3)
        routes = [
            *catalog.routes(catalogue, gate, web),
            *tags.routes(lists, gate, web),
            *referrers.routes(found, gate, web),
            *manifests.routes(house.manifests, gate, web),
        ]
        self._app = Surface(Router(routes), web)

    async def __call__(
        self, method: str, path: str, content: bytes = b"", token: str = "", **headers: str
    ) -> Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token or 'pull,push,delete'}"
        async with AsyncClient(
            transport=ASGITransport(self._app), base_url="http://registry.test"
        ) as client:
            return await client.request(method, path, content=content, headers=sent)


@pytest.fixture
def send(house: House) -> Iterator[Any]:
    client = Client(house)
    yield lambda *args, **more: asyncio.run(client(*args, **more))
    client.threads.close()


def errors(response: Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["errors"]
    assert all(one["detail"]["help"] and one["detail"]["request_id"] for one in found)
    return found


def pushed(house: House) -> bytes:
    house.add_blob(b"{}", EMPTY)
    return encoded(image(house.add_blob(b"layer")))


def test_push_and_pull(house: House, send: Any) -> None:
    content = pushed(house)
    digest = str(Digest.of(content))
    put = send("PUT", f"{APP}/manifests/v1", content, content_type=OCI_MANIFEST)
    assert (put.status_code, put.content) == (201, b"")
    assert put.headers["location"] == f"http://registry.test{APP}/manifests/{digest}"
    assert put.headers["docker-content-digest"] == digest
    assert "oci-subject" not in put.headers
    for reference in ("v1", digest):
        got = send("GET", f"{APP}/manifests/{reference}", accept="application/json")
        assert (got.status_code, got.content) == (200, content)
        for name, value in manifest_headers(digest, OCI_MANIFEST, len(content)):
            assert got.headers[name.decode()] == value.decode()
        head = send("HEAD", f"{APP}/manifests/{reference}")
        assert (head.status_code, head.content) == (200, b"")
        assert {**head.headers, "x-request-id": ""} == {**got.headers, "x-request-id": ""}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_is_not_sent_again(house: House, send: Any, method: str) -> None:
    content = pushed(house)
    etag = send("PUT", f"{APP}/manifests/v1", content, content_type=OCI_MANIFEST)
    etag = f'"{etag.headers["docker-content-digest"]}"'
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = send(method, f"{APP}/manifests/v1", if_none_match=condition)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert send(method, f"{APP}/manifests/v1", if_none_match='"other"').status_code == 200


def test_tags_and_subject_are_acknowledged(house: House, send: Any) -> None:
    pushed(house)
    subject = descriptor(b"subject", OCI_MANIFEST)
    content = encoded(image(subject=subject))
    path = f"{APP}/manifests/{Digest.of(content)}?tag=1.2&tag=1"
    put = send("PUT", path, content, content_type=OCI_MANIFEST)
    assert put.headers["oci-subject"] == subject["digest"]
    assert put.headers.get_list("oci-tag") == ["1.2", "1"]
    assert send("GET", f"{APP}/manifests/1.2").content == content
    many = send("PUT", path + "&tag=x" * 10, content, content_type=OCI_MANIFEST)
    assert many.status_code == 414


def test_each_missing_blob_is_an_error_of_its_own(send: Any) -> None:
    layers = [descriptor(b"one"), descriptor(b"two")]
    content = encoded(image(*layers))
    answer = send("PUT", f"{APP}/manifests/v1", content, content_type=OCI_MANIFEST)
    assert answer.status_code == 404
    named = [(one["code"], one["detail"]["digest"]) for one in errors(answer)]
    wanted = [descriptor(b"{}"), *layers]
    assert named == [("MANIFEST_BLOB_UNKNOWN", one["digest"]) for one in wanted]


@pytest.mark.parametrize(
    ("reference", "content", "status", "code"),
    [
        ("v1", b"not json", 400, "MANIFEST_INVALID"),
        ("v1", b" " * (64 << 10) + b"{}", 413, "MANIFEST_INVALID"),
        ("sha256:baddigeststring", b"{}", 400, "DIGEST_INVALID"),
        ("sha256:" + "0" * 64, encoded(image()), 400, "DIGEST_INVALID"),
        ("-x", encoded(image()), 400, "TAG_INVALID"),
    ],
)
def test_bad_pushes_are_refused(
    send: Any, reference: str, content: bytes, status: int, code: str
) -> None:
    answer = send("PUT", f"{APP}/manifests/{reference}", content, content_type=OCI_MANIFEST)
    assert (answer.status_code, errors(answer)[0]["code"]) == (status, code)


def test_what_is_not_there_is_said_so(house: House, send: Any) -> None:
    answer = send("GET", f"{APP}/manifests/v1")
    assert (answer.status_code, errors(answer)[0]["code"]) == (404, "NAME_UNKNOWN")
    pushed(house)
    answer = send("GET", f"{APP}/manifests/v1")
    assert (answer.status_code, errors(answer)[0]["code"]) == (404, "MANIFEST_UNKNOWN")
    answer = send("HEAD", f"{APP}/manifests/{Digest.of(b'')}")
    assert answer.status_code == 404


def test_deletion(house: House, send: Any) -> None:
    child = house.push_image(b"child", "v1")
    listing = index(child)
    house.push(listing, "multi")
    refused = send("DELETE", f"{APP}/manifests/{child['digest']}")
    assert (refused.status_code, errors(refused)[0]["code"]) == (409, "DENIED")
    assert send("DELETE", f"{APP}/manifests/v1").status_code == 202
    assert send("GET", f"{APP}/manifests/v1").status_code == 404
    for digest in (Digest.of(encoded(listing)), child["digest"]):
        assert send("DELETE", f"{APP}/manifests/{digest}").status_code == 202
        assert send("GET", f"{APP}/manifests/{digest}").status_code == 404
        assert send("DELETE", f"{APP}/manifests/{digest}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "enough"),
    [
        ("GET", "/manifests/v1", "pull"),
        ("HEAD", "/manifests/v1", "pull"),
        ("PUT", "/manifests/v1", "pull,push"),
        ("DELETE", "/manifests/v1", "delete"),
        ("GET", "/tags/list", "pull"),
        ("GET", f"/referrers/{Digest.of(b'x')}", "pull"),
    ],
)
def test_each_route_asks_for_its_actions(
    house: House, send: Any, method: str, path: str, enough: str
) -> None:
    house.push_image(b"x", "v1")
    house.add_namespace("other", "b")
    content = pushed(house) if method == "PUT" else b""
    # The gate answers a HEAD so that clients go on to a request whose refusal they can show.
    refused = 404 if method == "HEAD" else 403
    for action in enough.split(","):
        others = {"pull", "push", "delete"} - {action}
        answer = send(method, APP + path, content, ",".join(others), content_type=OCI_MANIFEST)
        assert answer.status_code == refused
    answer = send(method, APP + path, content, enough, content_type=OCI_MANIFEST)
    assert answer.status_code < 300
    elsewhere = send(method, "/v2/other/app" + path, content, enough, content_type=OCI_MANIFEST)
    assert elsewhere.status_code == refused


def test_tags_are_listed_page_by_page(house: House, send: Any) -> None:
    house.push_image(b"x", "", *"edcba")
    collected: list[str] = []
    path = f"{APP}/tags/list?n=2"
    while path:
        answer = send("GET", path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["name"] == "tenant/app"
        collected += answer.json()["tags"]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert collected == list("abcde")
    assert len(send("GET", f"{APP}/tags/list?n=999").json()["tags"]) == 3
    none = send("GET", f"{APP}/tags/list?n=0")
    assert (none.json()["tags"], "link" in none.headers) == ([], False)
    bad = send("GET", f"{APP}/tags/list?n=-1")
    assert (bad.status_code, errors(bad)[0]["code"]) == (400, "PAGINATION_NUMBER_INVALID")


def test_the_catalogue_needs_its_scope(house: House, send: Any) -> None:
    house.push_image(b"x", "v1")
    answer = send("GET", "/v2/_catalog", token="catalog")
    assert answer.json() == {"repositories": ["tenant/app"]}
    assert send("GET", "/v2/_catalog").status_code == 401


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("application/vnd.example%2Bjson", "application/vnd.example+json"),
        ("application/vnd.example+json", "application/vnd.example+json"),
        ("text/x%3B+a%3D%22b%2Bc+d%22", 'text/x; a="b+c d"'),
    ],
)
def test_a_type_is_found_whether_its_plus_sign_is_escaped_or_not(
    house: House, send: Any, written: str, meant: str
) -> None:
    subject = house.push_image(b"subject")
    house.push(index(subject=subject, artifactType=meant))

    found = send("GET", f"{APP}/referrers/{subject['digest']}?artifactType={written}")

    assert [one["artifactType"] for one in found.json()["manifests"]] == [meant]


def test_referrers_are_an_index_with_pages_and_filter(house: House, send: Any) -> None:
    subject = house.push_image(b"subject")
    for number in range(5):
        house.push(index(subject=subject, artifactType=f"application/x.{number % 2}", n=number))
    path = f"{APP}/referrers/{subject['digest']}"
    first = send("GET", path)
    assert first.headers["content-type"] == OCI_INDEX
    assert "oci-filters-applied" not in first.headers
    second = send("GET", first.links["next"]["url"])
    both = [*first.json()["manifests"], *second.json()["manifests"]]
    assert len({one["digest"] for one in both}) == 5
    assert "link" not in second.headers
    filtered = send("GET", path + "?artifactType=application/x.1")
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    types = [one["artifactType"] for one in filtered.json()["manifests"]]
    assert types == ["application/x.1"] * 2
    empty = send("GET", f"{APP}/referrers/{Digest.of(b'nobody')}")
    assert empty.status_code == 200
    assert json.loads(empty.content)["manifests"] == []
    assert send("GET", f"{APP}/referrers/sha256:x").status_code == 400


def test_other_methods_are_told_apart(send: Any) -> None:
    answer = send("POST", f"{APP}/manifests/v1")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}


def test_a_deprecated_type_is_taken_with_a_warning(house: House, send: Any) -> None:
    house.add_blob(b"{}", EMPTY)
    artifact = {"mediaType": OCI_ARTIFACT, "artifactType": "application/vnd.example"}
    old = send("PUT", f"{APP}/manifests/old", encoded(artifact), content_type=OCI_ARTIFACT)
    new = send("PUT", f"{APP}/manifests/new", pushed(house), content_type=OCI_MANIFEST)

    assert (old.status_code, new.status_code) == (201, 201)
    assert old.headers["warning"] == (
        f'299 - "Manifests of the type {OCI_ARTIFACT} are deprecated; '
        'newer clients and registries refuse them (WHF1002)"'
    )
    assert "warning" not in new.headers


def test_a_credential_near_its_end_is_warned_of_with_every_success(house: House, send: Any) -> None:
    content = pushed(house)
    token = "pull,push;ends=300"
    put = send("PUT", f"{APP}/manifests/v1", content, token=token, content_type=OCI_MANIFEST)
    got = send("GET", f"{APP}/manifests/v1", token=token)
    missing = send("GET", f"{APP}/manifests/v2", token=token)
    later = send("GET", f"{APP}/manifests/v1", token="pull;ends=100000")

    warning = '299 - "The credential behind this sign-in ends in 5 minutes (WHF1001)"'
    assert put.headers["warning"] == got.headers["warning"] == warning
    assert missing.status_code == 404
    assert "warning" not in missing.headers
    assert "warning" not in later.headers


def test_what_an_adviser_says_goes_with_the_push_and_never_spoils_it(house: House) -> None:
    adviser = Talkative()
    client = Client(house, adviser)

    def put(content: bytes) -> Response:
        path, headers = f"{APP}/manifests/v1", {"content_type": OCI_MANIFEST}
        return asyncio.run(client("PUT", path, content, **headers))

    told, refused = put(pushed(house)), put(b"nothing")
    adviser.broken = True
    silent = put(pushed(house))
    client.threads.close()

    assert (told.status_code, silent.status_code, refused.status_code) == (201, 201, 400)
    assert "(WHF1001)" in told.headers["warning"]
    assert "warning" not in silent.headers
    assert "warning" not in refused.headers
