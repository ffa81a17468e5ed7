"""What a server under test keeps its data in: beside itself, or where many nodes share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.linkless import linkless_disk
from tests.support.postgres import fresh_database
from tests.support.s3 import S3Server

Settings = Mapping[str, str]
"""Variables of a server's environment."""

Backends = Callable[[str], AbstractContextManager[Settings]]
"""Returns the settings of a fresh backend by its name, one of `NAMES`."""

NAMES = ("embedded", "scaled")
"""``embedded``: as without settings, SQLite and a folder. ``scaled``: PostgreSQL and S3."""

LINKLESS = "linkless"
"""The embedded one, its blobs on a filesystem without hard links; few tests care."""

SHARED_FOLDER = "shared folder"
"""PostgreSQL, and blobs in a folder that many nodes may mount; few tests care."""

every_backend = pytest.mark.parametrize("server", NAMES, indirect=True)
"""Runs tests that use the shared ``server`` once on each backend, not on the embedded one alone."""


@contextmanager
def embedded() -> Iterator[Settings]:
    yield {}


@contextmanager
def linkless(folder: Path) -> Iterator[Settings]:
    with linkless_disk(folder) as disk:
        yield {"WHARFINGER_BLOBS_URL": f"file://{disk}/blobs"}


@contextmanager
def shared_folder() -> Iterator[Settings]:
    with fresh_database("template1") as url:
        yield {"WHARFINGER_DATABASE_URL": url}


@contextmanager
def scaled(s3: S3Server) -> Iterator[Settings]:
    with fresh_database("template1") as url:
        yield {
            "WHARFINGER_DATABASE_URL": url,
            "WHARFINGER_BLOBS_URL": s3.blobs_url(),
            **s3.environment,
        }
