"""Which writes need no task: the plain ones, of callers that plainly may; all else is not taken."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from tests.support.uploads import IDS
from wharfinger.identity.model import Claims, TokenInvalid, TokenType
from wharfinger.registry.fastwrites import FastWrites
from wharfinger.registry.http.transfer import BUFFER
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.uploads import ContentRange, Pusher, Upload
from wharfinger.settings import Settings
from wharfinger.web.context import Web
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls
from wharfinger_common.digests import Digest

NOW = 1_000.0
PUSHER = Pusher("local", "team/app", "who")
ID = IDS.new(PUSHER, "a", NOW)
HEX = sha256(b"x").hexdigest()
Header = tuple[bytes, bytes]
BEARER: Header = (b"authorization", b"Bearer good")
HOST: Header = (b"host", b"registry.test")


class Callers:
    """Knows one token, whose credential was found to stand a moment ago, or was not."""

    def __init__(self, *, ends: int = 0, current: bool = True) -> None:
        self.ends, self.current = ends, current

    def doubt(self, credential: str) -> None:
        raise AssertionError(credential)

    def remembers_current(self, claims: Claims) -> bool:
        return self.current

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        if token != "good":
            raise TokenInvalid
        access = {"team/app": frozenset({"pull", "push"}), "team/read": frozenset({"pull"})}
        access["team/Bad"] = access["team/app"]
        return Claims(
            typ, audience, "local", "a", "who", "key", 0, 0, 9_999, access=access, ends=self.ends
        )


class Told:
    """Takes everything and remembers what it was."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def append(
        self, pusher: Pusher, upload: str, pieces: list[bytes], chunk: ContentRange | None
    ) -> Upload:
        self.calls.append((pusher, upload, pieces, chunk))
        return Upload(upload, "a", size=sum(map(len, pieces)))

    def finish(
        self,
        pusher: Pusher,
        upload: str,
        digest: Digest,
        pieces: list[bytes],
        chunk: ContentRange | None,
    ) -> Blob:
        self.calls.append((pusher, upload, pieces, chunk, digest))
        return Blob(str(digest), 1, "")


class House:
    """The part of a service that tells which writes are plain."""

    def __init__(self, web: Web, **callers: Any) -> None:
        self.told = Told()
        self.writes = FastWrites(web, Callers(**callers), self.told)

    def asked(
        self,
        method: str,
        repository: str = "team/app",
        upload: str = ID,
        query: bytes = b"",
        headers: tuple[Header, ...] = (BEARER, HOST),
    ) -> Any:
        path = f"/v2/{repository}/blobs/uploads/{upload}"
        return self.writes.intake(
            {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": query,
                "scheme": "http",
                "headers": list(headers),
                "client": ("127.0.0.1", 1),
            }
        )


@pytest.fixture
def web() -> Iterator[Web]:
    settings = Settings(credential_warning_seconds=60)
    threads = Threads(1)
    yield Web(settings, threads, Urls((), (), settings.served), lambda: NOW, lambda: False)
    threads.close()


def lines(answer: tuple[int, bytes, bytes]) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in answer[1].decode().split("\r\n") if line)


def test_a_chunk_is_appended_and_told_where_the_session_stands(web: Web) -> None:
    house = House(web)

    answer = house.asked("PATCH").work(b"abc")

    assert house.told.calls == [(PUSHER, ID, [b"abc"], None)]
    assert answer[0] == 202
    told = lines(answer)
    assert told["location"] == f"http://registry.test/v2/team/app/blobs/uploads/{ID}"
    assert (told["range"], told["docker-upload-uuid"]) == ("0-2", ID)


@pytest.mark.parametrize("colon", [b":", b"%3A", b"%3a"])
def test_an_end_names_its_digest_and_is_told_where_the_blob_is(web: Web, colon: bytes) -> None:
    house = House(web)

    answer = house.asked("PUT", query=b"digest=sha256" + colon + HEX.encode()).work(b"")

    assert house.told.calls == [(PUSHER, ID, [], None, Digest("sha256", HEX))]
    assert answer[0] == 201
    told = lines(answer)
    assert told["location"] == f"http://registry.test/v2/team/app/blobs/sha256:{HEX}"
    assert told["docker-content-digest"] == f"sha256:{HEX}"


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "GET"},
        {"method": "DELETE"},
        {"method": "POST"},
        {"query": b"digest=sha256:" + HEX.encode()},
        {"query": b"x"},
        {"method": "PUT"},
        {"method": "PUT", "query": b"digest=sha256:abc"},
        {"method": "PUT", "query": b"digest=md5:" + b"a" * 32},
        {"method": "PUT", "query": b"digest=sha256:" + HEX.encode() + b"&x=1"},
        {"method": "PUT", "query": b"digest=sha256:" + HEX.upper().encode()},
        {"repository": "team/read"},
        {"repository": "team/unknown"},
        {"repository": "team/Bad"},
        {"repository": "team%2Fapp"},
        {"upload": "abc"},
        {"upload": "-" * 36},
        {"headers": (HOST,)},
        {"headers": (HOST, (b"authorization", b"Basic Zm9v"))},
        {"headers": (HOST, (b"authorization", b"Bearer bad"))},
        {"headers": (HOST, BEARER, BEARER)},
        {"headers": (HOST, BEARER, (b"content-range", b"0-2"))},
        {"headers": (HOST, BEARER, (b"content-length", b"%d" % (BUFFER + 1)))},
        {"headers": (HOST, BEARER, (b"content-length", b"9" * 400))},
    ],
    ids=repr,
)
def test_what_is_not_plain_is_left_to_the_ordinary_route(web: Web, asked: dict[str, Any]) -> None:
    house = House(web)
    assert house.asked("PATCH") is not None

    assert house.asked(**({"method": "PATCH"} | asked)) is None


def test_a_body_of_one_buffer_is_taken(web: Web) -> None:
    length: Header = (b"content-length", b"%d" % BUFFER)
    assert House(web).asked("PATCH", headers=(HOST, BEARER, length)) is not None


@pytest.mark.parametrize(
    "callers", [{"current": False}, {"ends": 1_060}], ids=["perhaps revoked", "with a warning"]
)
def test_who_may_not_plainly_is_left_to_the_gate(web: Web, callers: dict[str, Any]) -> None:
    assert House(web, **callers).asked("PATCH") is None


def test_a_service_that_stops_takes_nothing_more() -> None:
    settings = Settings()
    threads = Threads(1)
    urls = Urls((), (), settings.served)
    web = Web(settings, threads, urls, lambda: NOW, lambda: True)
    assert House(web).asked("PATCH") is None
    threads.close()
