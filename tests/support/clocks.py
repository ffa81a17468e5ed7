"""Lets programs live at another time than this machine does (libfaketime)."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from tests.support.tools import ensure


def ahead(offset: str) -> tuple[str, ...]:
    """What a command begins with to run at another time: ``+2h``, ``-1d``."""
    return (str(ensure("faketime")), "-m", "-f", offset)


def in_days(count: int) -> dict[str, str]:
    """The environment of a program whose wall clock is days ahead; timers are as ever."""
    return _shifted(f"+{count}d")


def at(moment: datetime, zone: str) -> dict[str, str]:
    """The same for a program that starts at a moment to come, where clocks show another zone."""
    return _shifted(f"+{moment.timestamp() - time.time():.0f}") | {"TZ": zone}


def _shifted(offset: str) -> dict[str, str]:
    ensure("faketime")
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
