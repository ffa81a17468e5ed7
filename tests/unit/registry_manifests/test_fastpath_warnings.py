"""The fast path leaves to the ordinary route what has to carry a warning, or to be refused."""

from __future__ import annotations

from collections.abc import Iterator
from time import time
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.uploads import IDS
from wharfinger.blobstore.memory import MemoryStore
from wharfinger.identity.model import Claims, TokenType
from wharfinger.quotas.service.traffic import Uncounted
from wharfinger.registry.fastpath import FastPath
from wharfinger.registry.fastreads import FoundBlob, FoundManifest, FoundOwner
from wharfinger.registry.model.uploads import Pusher, Upload
from wharfinger.registry.remembered import Remembered
from wharfinger.settings import Settings
from wharfinger.web.context import Web
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls

NOW = 1_000.0
SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/v2/team/app/manifests/v1",
    "raw_path": b"/v2/team/app/manifests/v1",
    "headers": [(b"authorization", b"Bearer token"), (b"host", b"registry.test")],
}


class Ending:
    """Verifies every token, of a credential that ends at ``ends``."""

    def __init__(self, ends: int) -> None:
        self.ends = ends

    def doubt(self, credential: str) -> None:
        raise AssertionError(credential)

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        may = frozenset({"pull", "push"})
        access = {"team/app": may, "team/app/blobs": may, "team/read": frozenset({"pull"})}
        return Claims(
            typ, audience, "local", "a", "who", "key", 0, 0, 9_999, access=access, ends=self.ends
        )


class Found:
    def manifest(self, key: Any, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        return FoundManifest(0, "sha256:abc", "application/json", 2, b"{}")

    def blob(self, key: Any) -> FoundBlob | None:
        return None

    def blob_head(self, key: Any) -> FoundBlob | None:
        return None

    def owner(self, key: Any) -> FoundOwner | None:
        return FoundOwner(0, "a") if key["namespace"] == "team" else None


class Room:
    """Has room for every upload, or does not know."""

    def __init__(self, *, known: bool) -> None:
        self.known = known

    def open_at_once(self, pusher: Pusher, account: str) -> Upload | None:
        return Upload(IDS.new(pusher, account, NOW), account) if self.known else None


class Unchanged:
    def read(self) -> bytes:
        return b"since ever"


async def ordinary(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("not called here")


@pytest.fixture
def web() -> Iterator[Web]:
    settings = Settings(credential_warning_seconds=60)
    threads = Threads(1)
    urls = Urls((), (), settings.served)
    yield Web(settings, threads, urls, lambda: NOW, lambda: False)
    threads.close()


def fast_path(web: Web, ends: int = 0, *, room: bool = True) -> FastPath:
    remembered, openings = Remembered(Unchanged()), Room(known=room)
    store, traffic = MemoryStore(time), Uncounted()
    return FastPath(ordinary, web, Ending(ends), Found(), remembered, store, traffic, openings)


@pytest.mark.parametrize(("ends", "fast"), [(0, True), (1_061, True), (1_060, False)])
def test_only_what_carries_no_warning_is_answered_at_once(
    web: Web, ends: int, *, fast: bool
) -> None:
    path = fast_path(web, ends)

    for _ in range(2):
        assert (path.at_once(dict(SCOPE)) is not None) is fast


@pytest.mark.parametrize(
    ("repository", "ends", "room", "fast"),
    [
        ("team/app", 0, True, True),
        ("team/app", 1_060, True, False),
        ("team/app", 0, False, False),
        ("team/read", 0, True, False),
        ("team/unknown", 0, True, False),
        ("gone/app", 0, True, False),
    ],
    ids=[
        "plain",
        "with a warning",
        "quota unknown",
        "may only pull",
        "not granted",
        "no namespace",
    ],
)
def test_only_uploads_that_may_surely_begin_are_opened_at_once(
    web: Web, repository: str, ends: int, *, room: bool, fast: bool
) -> None:
    path = f"/v2/{repository}/blobs/uploads/"
    scope = SCOPE | {"method": "POST", "path": path, "raw_path": path.encode(), "scheme": "http"}

    answer = fast_path(web, ends, room=room).at_once(scope)

    assert (answer is not None) is fast
    if answer is not None:
        assert answer[0] == 202


@pytest.mark.parametrize("tail", ["blobs/uploads/some-id", "uploads/", "blobs/uploads", "blobs/"])
def test_nothing_is_opened_at_other_paths(web: Web, tail: str) -> None:
    """Not even where the rest of the path is a repository that the token names."""
    path = f"/v2/team/app/{tail}"
    scope = SCOPE | {"method": "POST", "path": path, "raw_path": path.encode(), "scheme": "http"}

    assert fast_path(web).at_once(scope) is None
