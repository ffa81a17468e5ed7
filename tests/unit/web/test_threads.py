"""The pool of threads at its bounds: full, and at the worker's end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wharfinger.web.threads import Busy, Threads


def test_a_closed_pool_says_busy_rather_than_fail() -> None:
    async def run() -> None:
        threads = Threads(1)
        threads.close()
        await threads.run(int)

    with pytest.raises(Busy):
        asyncio.run(run())


def test_more_than_may_wait_are_refused_at_once() -> None:
    release = threading.Event()

    async def run() -> list[object]:
        threads = Threads(1, waiting_per_thread=3)
        waiting = [asyncio.create_task(threads.run(release.wait, 30)) for _ in range(3)]
        await asyncio.sleep(0)
        try:
            with pytest.raises(Busy):
                await threads.run(int)
            assert threads.under_way() == 3
        finally:
            release.set()
        results: list[object] = await asyncio.gather(*waiting)
        threads.close()
        return results

    assert asyncio.run(run()) == [True, True, True]
