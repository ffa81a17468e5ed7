"""Commands that find the database or the blob store away: what it said, and who looks closer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.functional.operator.support import command
from tests.support.postgres import fresh_database
from tests.support.server import free_ports

KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "a secret"}
DOCTOR = "Run 'wharfd doctor': it looks at every part of the service and says what to do."
STORE = ("gc --dry-run", "gc", "fsck")


def require_told(line: str, settings: Mapping[str, str], part: str, cause: str) -> None:
    done = command(*line.split(), settings=settings)
    assert done.returncode == 1
    told, said, closer = done.stderr.strip().splitlines()[-3:]
    assert told == f"Error: A part of the service is not available: {part} (WHF0010)"
    assert cause in said
    assert closer == DOCTOR
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("line", ["jobs", "account list", *STORE])
def test_the_database_is_away(tmp_path: Path, line: str) -> None:
    (port,) = free_ports(1)
    (tmp_path / "master.key").write_bytes(bytes(32))
    settings = {
        "WHARFINGER_DATA": str(tmp_path),
        "WHARFINGER_DATABASE_URL": f"postgresql://wharfinger:secret@127.0.0.1:{port}/none",
        "WHARFINGER_DATABASE_WAIT_SECONDS": "1",
    }
    require_told(line, settings, "database", "Connection refused")


@pytest.mark.parametrize("line", ["jobs", "gc --dry-run", "fsck"])
def test_a_database_that_holds_no_service_yet(tmp_path: Path, line: str) -> None:
    (tmp_path / "master.key").write_bytes(bytes(32))
    with fresh_database("template1") as url:
        done = command(
            *line.split(),
            settings={"WHARFINGER_DATA": str(tmp_path), "WHARFINGER_DATABASE_URL": url},
        )
    assert done.returncode == 1
    said, closer = done.stderr.strip().splitlines()
    assert "does not exist" in said
    assert closer == DOCTOR


@pytest.mark.parametrize("line", ["jobs", *STORE])
def test_a_machine_without_the_master_key(tmp_path: Path, line: str) -> None:
    settings = {
        "WHARFINGER_DATA": str(tmp_path),
        "WHARFINGER_DATABASE_URL": "postgresql://wharfinger:secret@127.0.0.1:9/none",
    }
    done = command(*line.split(), settings=settings)
    assert done.returncode == 1
    assert done.stderr == f"Error: there is no master key at '{tmp_path}/master.key'\n"


@pytest.mark.parametrize("line", STORE)
def test_the_folder_of_blobs_cannot_be_made(tmp_path: Path, line: str) -> None:
    (tmp_path / "file").touch()
    settings = {"WHARFINGER_DATA": str(tmp_path / "data")}
    assert command("init", settings=settings).returncode == 0
    blobs = {"WHARFINGER_BLOBS_URL": f"file://{tmp_path}/file/blobs"}
    require_told(line, settings | blobs, "blob store", f"{tmp_path}/file")


@pytest.mark.parametrize("line", STORE)
def test_the_bucket_is_away(tmp_path: Path, line: str) -> None:
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    settings = {"WHARFINGER_DATA": str(tmp_path / "data")}
    assert command("init", settings=settings).returncode == 0
    blobs = {
        "WHARFINGER_BLOBS_URL": f"s3://bucket/x?endpoint={endpoint}&region=r",
        "WHARFINGER_S3_ATTEMPTS": "1",
        **KEYS,
    }
    require_told(line, settings | blobs, "blob store", endpoint)
