"""The fast path leaves to the ordinary route what has to carry a warning."""

from __future__ import annotations

from collections.abc import Iterator
from time import time
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from wharfinger.blobstore.memory import MemoryStore
from wharfinger.identity.model import Claims, TokenType
from wharfinger.quotas.service.traffic import Uncounted
from wharfinger.registry.fastpath import FastPath
from wharfinger.registry.fastreads import FoundBlob, FoundManifest
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
        access = {"team/app": frozenset({"pull"})}
        return Claims(
            typ, audience, "local", "a", "who", "key", 0, 0, 9_999, access=access, ends=self.ends
        )


class OneManifest:
    def manifest(self, key: Any, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        return FoundManifest(0, "sha256:abc", "application/json", 2, b"{}")

    def blob(self, key: Any) -> FoundBlob | None:
        return None

    def blob_head(self, key: Any) -> FoundBlob | None:
        return None


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


@pytest.mark.parametrize(("ends", "fast"), [(0, True), (1_061, True), (1_060, False)])
def test_only_what_carries_no_warning_is_answered_at_once(
    web: Web, ends: int, *, fast: bool
) -> None:
    remembered = Remembered(Unchanged())
    store, traffic = MemoryStore(time), Uncounted()
    path = FastPath(ordinary, web, Ending(ends), OneManifest(), remembered, store, traffic)

    for _ in range(2):
        assert (path.at_once(dict(SCOPE)) is not None) is fast
