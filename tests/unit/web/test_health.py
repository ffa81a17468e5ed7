"""Checks that hang or are asked by many: health stays quick and asks each part once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from starlette.requests import Request

from wharfinger.settings import Settings
from wharfinger.web.context import Web
from wharfinger.web.health import Health
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls


@pytest.fixture
def web() -> Iterator[Web]:
    settings = Settings(health_seconds=0.2)
    threads = Threads(2)
    yield Web(settings, threads, Urls((), (), settings.served), time.time, lambda: False)
    threads.close()


def _asked(
    web: Web, checks: Mapping[str, Callable[[], None]], probes: int = 1, at_once: bool = True
) -> list[tuple[int, dict[str, object]]]:
    async def run() -> list[tuple[int, dict[str, object]]]:
        health = Health(web, checks)
        asking = [health.ready(Request({"type": "http", "headers": []})) for _ in range(probes)]
        if at_once:
            answers = await asyncio.gather(*asking)
        else:
            answers = [await one for one in asking]
        return [(answer.status_code, json.loads(bytes(answer.body))) for answer in answers]

    return asyncio.run(run())


def test_a_flood_of_probes_asks_each_part_once(web: Web) -> None:
    calls: list[int] = []

    found = _asked(web, {"database": lambda: calls.append(1)}, probes=500)

    assert {status for status, _ in found} == {200}
    assert len(calls) == 1


def test_a_part_that_hangs_is_told_in_time_and_asked_once(web: Web) -> None:
    release, calls = threading.Event(), []

    def hang() -> None:
        calls.append(1)
        release.wait(60)

    try:
        found = _asked(web, {"blobs": hang, "database": lambda: None}, probes=3, at_once=False)
    finally:
        release.set()

    status, body = found[0]
    assert status == 503
    parts = body["parts"]
    assert isinstance(parts, dict)
    assert parts["blobs"]["code"] == "WHF0022"
    assert "blobs" in parts["blobs"]["message"]
    assert parts["database"] == {"status": "ok"}
    assert len(calls) == 1


def test_a_defect_of_a_check_is_a_part_that_is_missing(web: Web) -> None:
    def broken() -> None:
        raise KeyError("secret")

    ((status, body),) = _asked(web, {"blobs": broken})

    assert status == 503
    assert "WHF0001" in json.dumps(body)
    assert "secret" not in json.dumps(body)
