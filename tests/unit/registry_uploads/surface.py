"""The surface of all routes, with uploads and blobs behind it; only the gate is lenient."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.routing import Router
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from tests.unit.registry_uploads.yard import ACCOUNT, LIMIT, PUSHER, REGION, Yard
from wharfinger.identity.model import Claims, TokenType
from wharfinger.regions import single
from wharfinger.registry.http import blobs as blob_routes
from wharfinger.registry.http import uploads as upload_routes
from wharfinger.settings import Settings
from wharfinger.web.authentication import (
    INSUFFICIENT_SCOPE,
    AccessDenied,
    AuthenticationRequired,
)
from wharfinger.web.context import Web
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Challenge

CONTENT = b"a layer " * 1000
DIGEST = Digest.of(CONTENT)
LARGE = os.urandom(5 * 1024 * 1024 + 17)
UPLOADS = "/v2/team/app/blobs/uploads/"
BLOB = f"/v2/team/app/blobs/{DIGEST}"
ALL = frozenset({"pull", "push", "delete"})


class Gate:
    """Grants what it is told to; ``possible`` are repositories that another token could grant."""

    def __init__(self) -> None:
        self.access = dict.fromkeys(("team/app", "team/second", "team/third"), ALL)
        self.possible: set[str] = set()
        self.subject = PUSHER.subject

    async def authorize(self, request: HTTPConnection, repository: str, *actions: str) -> Claims:
        if not self.access.get(repository, frozenset()).issuperset(actions):
            if repository in self.possible:
                raise AuthenticationRequired(challenge=Challenge("one", INSUFFICIENT_SCOPE))
            raise AccessDenied
        claims = Claims(
            TokenType.REGISTRY, "registry", REGION, ACCOUNT, self.subject, "key", 1, 0, 10**10
        )
        return replace(claims, access=self.access)


class House:
    def __init__(self, yard: Yard, **settings: Any) -> None:
        self.yard = yard
        self.gate = Gate()
        self.threads = Threads(4)
        values = {"blob_bytes": LIMIT, "body_stall_seconds": 1.0, **settings}
        self.web = Web(
            Settings(region=REGION, **values),
            self.threads,
            Urls((), (), single(REGION)),
            yard.clock,
            draining=lambda: False,
        )
        routes = [
            *upload_routes.routes(yard.uploads, self.gate, self.web),  # type: ignore[arg-type]  # the stand-in
            *blob_routes.routes(yard.blobs, self.gate, self.web),  # type: ignore[arg-type]  # the stand-in
        ]
        self.app: ASGIApp = Surface(Router(routes), self.web)
        self.client = TestClient(self.app, "http://registry.test")


def opened(client: TestClient, **query: str) -> str:
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def code_of(answer: Any) -> str:
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert error["detail"]["help"]
    return f"{answer.status_code} {error['code']}"


def assert_created(client: TestClient, answer: Any, content: bytes, digest: Digest) -> None:
    assert answer.status_code == 201, answer.text
    assert answer.headers["docker-content-digest"] == str(digest)
    got = client.get(answer.headers["location"])
    assert got.status_code == 200
    assert got.content == content


def pushed(client: TestClient, content: bytes = CONTENT, repository: str = "team/app") -> str:
    digest = str(Digest.of(content))
    path = f"/v2/{repository}/blobs/uploads/"
    answer = client.post(path, params={"digest": digest}, content=content)
    assert answer.status_code == 201
    return f"/v2/{repository}/blobs/{digest}"


def scope_of(method: str, url: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    path, _, query = url.removeprefix("http://registry.test").partition("?")
    pairs = {"host": "registry.test", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
        "client": ("192.0.2.1", 1),
        "server": ("registry.test", 80),
        **more,
    }


async def exchange(app: ASGIApp, scope: Any, messages: AsyncIterator[Message]) -> list[Message]:
    """Return what the application sent; after ``messages`` nothing more comes."""
    sent: list[Message] = []

    async def receive() -> Message:
        async for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if "file" in message:
            # What a server that sends files would put on the wire.
            read = os.pread(message["file"].fileno(), message["count"], message["offset"])
            message = {**message, "body": read}
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def body(*pieces: bytes, then: str = "") -> AsyncIterator[Message]:
    for piece in pieces:
        yield {"type": "http.request", "body": piece, "more_body": True}
    if then:
        yield {"type": then}


async def nothing() -> AsyncIterator[Message]:
    yield {"type": "http.request", "body": b"", "more_body": False}
