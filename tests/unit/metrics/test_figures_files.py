"""Files of figures: whole after a restart of their process, bounded, harmless on a full disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from wharfinger.metrics import files, names
from wharfinger.metrics.figures import Figures
from wharfinger.metrics.model import Kind, Metric
from wharfinger.metrics.tallies import Tallies
from wharfinger.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data=str(tmp_path))
    files.clear(made)
    return made


def _shown(settings: Settings) -> str:
    registry = CollectorRegistry()
    collect: Callable[..., Any] = cast("Any", multiprocess).MultiProcessCollector
    collect(registry, path=str(files.folder_of(settings)))
    return generate_latest(registry).decode()


def test_a_successor_goes_on_counting_and_forgets_what_was(settings: Settings) -> None:
    for life in (1, 2):
        figures = Figures(settings, "http-0", "1.0")
        figures.tallies.add(names.REFUSALS, ("WHF0003",), 5)
        figures.tallies.observe(names.JOB_SECONDS, ("collect",), 0.05)
        if life == 1:
            figures.show(names.HTTP_CONNECTIONS, lambda: 7)
        figures.flush()

    shown = _shown(settings)
    assert 'wharfinger_refusals_total{code="WHF0003"} 10.0' in shown
    assert 'wharfinger_job_seconds_count{kind="collect"} 2.0' in shown
    assert 'wharfinger_job_seconds_bucket{kind="collect",le="0.01"} 0.0' in shown
    assert 'wharfinger_job_seconds_bucket{kind="collect",le="0.1"} 2.0' in shown
    assert 'wharfinger_process_starts_total{process="http-0"} 2.0' in shown
    assert "wharfinger_http_connections" not in shown


def test_a_full_disk_costs_nothing_but_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    figures = Figures(settings, "http-0", "1.0")
    figures.tallies.add(names.REFUSALS, ("WHF0003",))
    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        figures.flush()
    figures.tallies.add(names.REFUSALS, ("WHF0003",))
    figures.flush()

    assert 'wharfinger_refusals_total{code="WHF0003"} 2.0' in _shown(settings)


def test_files_take_their_room_at_once_and_never_more(settings: Settings) -> None:
    many = Metric("wharfinger_many", Kind.COUNTER, "Far too many", (("number", ""),))
    figures = Figures(settings, "http-0", "1.0")
    for number in range(20_000):
        figures.tallies.add(many, (str(number),))
    figures.flush()

    file = files.folder_of(settings) / "counter_http-0.db"
    status = file.stat()
    assert status.st_size == files.SIZE
    assert status.st_blocks * 512 >= files.SIZE
    assert status.st_mode & 0o777 == 0o600
    assert 'number="0"' in _shown(settings)


def test_no_count_is_lost_between_threads() -> None:
    tallies, taken = Tallies(), []
    done = threading.Event()

    def count() -> None:
        for _ in range(20_000):
            tallies.add(names.REFUSALS, ("WHF0003",))

    def take() -> None:
        while not done.is_set():
            taken.append(tallies.take())

    counters = [threading.Thread(target=count) for _ in range(4)]
    taker = threading.Thread(target=take)
    for thread in (*counters, taker):
        thread.start()
    for thread in counters:
        thread.join()
    done.set()
    taker.join()
    taken.append(tallies.take())

    assert sum(sum(changes.counts.values()) for changes in taken) == 80_000
