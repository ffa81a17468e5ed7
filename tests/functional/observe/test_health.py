"""`/health/ready` names the part that is missing, and how to cure it."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Server


@pytest.fixture
def own(tmp_path: Path) -> Server:
    return Server(tmp_path / "data")


def _ready(server: Server, status: int, **headers: str) -> dict[str, Any]:
    """What it says once it answers with ``status``: an answer is kept for a second."""
    deadline = time.monotonic() + 30
    while True:
        answer = httpx.get(f"{server.api}/health/ready", headers=headers)
        if answer.status_code == status:
            # The cures name the header.
            assert ("Retry-After" in answer.headers) == (status == 503)
            return dict(answer.json())
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_missing_parts_are_named_with_their_cure(own: Server) -> None:
    with own as server:
        assert _ready(server, 200) == {
            "status": "ready",
            "parts": {name: {"status": "ok"} for name in ("database", "migrations", "blobs")},
        }
        uploads = server.data / "blobs" / "uploads"
        server.wait_for_jobs()
        uploads.rename(server.data / "away")
        found = _ready(server, 503)
        chinese = _ready(server, 503, **{"Accept-Language": "zh-CN"})
        alive = httpx.get(f"{server.api}/health/live").status_code
        (server.data / "away").rename(uploads)

        assert alive == 200
        assert (found["status"], found["code"]) == ("waiting", "WHF0010")
        assert found["parts"]["database"] == {"status": "ok"}
        broken = found["parts"]["blobs"]
        assert (broken["status"], broken["code"]) == ("failed", "WHF0010")
        assert broken["cure"]
        assert chinese["parts"]["blobs"]["message"] != broken["message"]
        _ready(server, 200)


def test_another_versions_schema_is_told(own: Server) -> None:
    with own as server:
        _ready(server, 200)
        with sqlite3.connect(server.data / "wharfinger.db") as database:
            (head,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        found = _ready(server, 503)["parts"]
        with sqlite3.connect(server.data / "wharfinger.db") as database:
            database.execute("UPDATE alembic_version SET version_num = ?", (head,))

        assert found["database"] == {"status": "ok"}
        assert found["migrations"]["code"] == "WHF0021"
        assert "9999" in found["migrations"]["message"]
        assert head in found["migrations"]["message"]
        _ready(server, 200)
