"""Lets programs live at another time than this machine does (libfaketime)."""

from __future__ import annotations

from pathlib import Path

from tests.support.tools import ensure


def ahead(offset: str) -> tuple[str, ...]:
    """What a command begins with to run at another time: ``+2h``, ``-1d``."""
    return (str(ensure("faketime")), "-m", "-f", offset)


def in_days(count: int) -> dict[str, str]:
    """The environment of a program whose wall clock is days ahead; timers are as ever."""
    ensure("faketime")
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"+{count}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
