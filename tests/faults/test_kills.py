"""Processes killed at random moments of a hundred cycles of push, tag, delete and collection."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.killer import Killer
from tests.faults.stage import Stage, apart, embedded, reported
from tests.support.s3 import S3Server

CYCLES = int(os.environ.get("WHARFINGER_TEST_KILL_CYCLES", "100"))
SEED = int(os.environ.get("WHARFINGER_TEST_KILL_SEED", "20261"))
"""Other values make other plays, longer ones too."""

PAUSE = (0.2, 1.2)


def _play(stage: Stage, name: str, seed: int) -> None:
    crew = stage.crew(seed)
    with reported(name, seed, stage, crew) as report:
        crew.run(CYCLES, Killer(stage.server, crew, seed, PAUSE, rounds=max(1, CYCLES // 100)))
        stage.server.restart()
        crew.verify()
        # The same clients go on as if nothing had been.
        crew.run(20)
        stage.require_whole()
        report.add({"blobs at the end": len(stage.blobs())})
    crew.close()


@pytest.mark.parametrize("seed", [SEED])
def test_embedded(tmp_path: Path, seed: int) -> None:
    with embedded(tmp_path) as stage:
        _play(stage, "kills-embedded", seed)


@pytest.mark.parametrize("seed", [SEED + 1])
def test_postgresql_and_object_store(tmp_path: Path, s3: S3Server, seed: int) -> None:
    with apart(tmp_path, s3) as stage:
        _play(stage, "kills-postgresql-s3", seed)
