"""Uploads whose request broke off, was cancelled, or ran out of disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from tests.unit.registry_uploads.surface import (
    LARGE,
    UPLOADS,
    House,
    assert_created,
    body,
    exchange,
    opened,
    scope_of,
)
from tests.unit.registry_uploads.yard import Yard
from wharfinger.blobstore import filesystem
from wharfinger.blobstore.pieces import write_all
from wharfinger_common.digests import Digest


@pytest.mark.parametrize("size", [2000, 3 * 1024 * 1024 + 5])
@pytest.mark.parametrize("headers", [{}, {"content-range": f"0-{len(LARGE) - 1}"}])
def test_a_client_that_vanishes_resumes_where_it_was(
    house: House, client: TestClient, size: int, headers: dict[str, str]
) -> None:
    location = opened(client)
    pieces = [LARGE[at : min(size, at + 65_536)] for at in range(0, size, 65_536)]
    announced = {"content-length": str(len(LARGE)), **headers}
    scope = scope_of("PATCH", location, announced)
    sent = asyncio.run(exchange(house.app, scope, body(*pieces, then="http.disconnect")))
    assert sent[0]["status"] == 400
    assert client.get(location).headers["range"] == f"0-{size - 1}"
    rest = {"Content-Range": f"{size}-{len(LARGE) - 1}"}
    digest = Digest.of(LARGE)
    answer = client.put(
        location, params={"digest": str(digest)}, content=LARGE[size:], headers=rest
    )
    assert_created(client, answer, LARGE, digest)


@pytest.mark.parametrize("size", [2000, 3 * 1024 * 1024 + 5])
@pytest.mark.parametrize("ending", ["http.disconnect", "end", "stall"])
def test_a_put_that_breaks_off_counts_for_nothing_and_is_repeated(
    house: House, client: TestClient, size: int, ending: str
) -> None:
    async def messages() -> AsyncIterator[Message]:
        more = {"type": "http.request", "body": LARGE[:size], "more_body": ending != "end"}
        yield more
        if ending == "http.disconnect":
            yield {"type": ending}

    digest, location = Digest.of(LARGE), opened(client)
    scope = scope_of("PUT", f"{location}?digest={digest}", {"content-length": str(len(LARGE))})
    sent = asyncio.run(exchange(house.app, scope, messages()))
    assert sent[0]["status"] == (408 if ending == "stall" else 400)
    assert client.get(location).headers["range"] == "0-0"
    answer = client.put(location, params={"digest": str(digest)}, content=LARGE)
    assert_created(client, answer, LARGE, digest)


def test_a_large_post_that_breaks_off_leaves_no_session(house: House) -> None:
    scope = scope_of("POST", f"{UPLOADS}?digest={Digest.of(LARGE)}")
    messages = body(LARGE[: 2 * 1024 * 1024], then="http.disconnect")
    asyncio.run(exchange(house.app, scope, messages))
    assert house.yard.rows()["uploads"] == 0
    assert house.yard.session_files() == []


def test_a_request_that_is_cancelled_lets_the_upload_go(house: House, client: TestClient) -> None:
    location = opened(client)

    async def cancel() -> None:
        request = exchange(house.app, scope_of("PATCH", location), body(LARGE[: 3 * 1024 * 1024]))
        task = asyncio.create_task(request)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    size = int(client.get(location).headers["range"].removeprefix("0-")) + 1
    assert size in {2 * 1024 * 1024, 3 * 1024 * 1024}
    answer = client.patch(location, content=LARGE[size:])
    assert answer.status_code == 202


def test_a_full_disk_ends_the_upload_and_keeps_what_fits(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, whole = opened(client), write_all
    calls: list[int] = []

    def fill_up(file: Any, data: Any, offset: int) -> None:
        calls.append(len(data))
        if len(calls) == 3:
            whole(file, data[:100], offset)
            raise OSError(28, "No space left on device")
        whole(file, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "write_all", fill_up)
        pieces = [LARGE[at : at + 500_000] for at in range(0, len(LARGE), 500_000)]
        sent = asyncio.run(exchange(house.app, scope_of("PATCH", location), body(*pieces)))
        assert sent[0]["status"] == 507
    stands = sum(calls[:2])
    assert client.get(location).headers["range"] == f"0-{stands - 1}"
    assert client.patch(location, content=LARGE[stands:]).status_code == 202
    answer = client.put(location, params={"digest": str(Digest.of(LARGE))})
    assert_created(client, answer, LARGE, Digest.of(LARGE))


def test_a_slow_body_is_no_reason_to_lose_the_lease(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(yard, upload_lease_seconds=1.0)
    location = opened(house.client)
    renewed = asyncio.Event()
    progress = yard.records.progress
    loops: list[asyncio.AbstractEventLoop] = []

    def seen(*args: Any, **how: Any) -> None:
        progress(*args, **how)
        loops[0].call_soon_threadsafe(renewed.set)

    async def messages() -> AsyncIterator[Message]:
        loops.append(asyncio.get_running_loop())
        yield {"type": "http.request", "body": LARGE[: 2 * 1024 * 1024], "more_body": True}
        monkeypatch.setattr(yard.records, "progress", seen)
        await renewed.wait()
        yield {"type": "http.request", "body": b"end", "more_body": False}

    sent = asyncio.run(exchange(house.app, scope_of("PATCH", location), messages()))
    assert sent[0]["status"] == 202
    house.threads.close()
