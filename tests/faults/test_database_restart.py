"""PostgreSQL stopped, crashed and started again beneath clients that go on pushing."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from tests.faults.killer import wait_for
from tests.faults.stage import QUICKLY, Stage, apart, reported
from tests.support.s3 import S3Server

SEED = 20264
AWAY_SECONDS = 3.0


def test_clients_wait_for_the_database_and_lose_nothing(tmp_path: Path, s3: S3Server) -> None:
    with apart(tmp_path, s3, **QUICKLY) as stage:
        # What a crash of PostgreSQL may cost uploads under way: docs/adr/0014.
        crew = stage.crew(SEED, clients=4, uploads_last=False)
        with reported("database-restarts", SEED, stage, crew):
            crew.run(20, lambda: _restarts(stage))
            crew.run(20)
            stage.require_whole()
        crew.close()
        # Whoever had begun nothing waited; who was in the midst was told to try again.
        assert crew.tally["connections broken"] == 0
        assert crew.tally["push: acknowledged"] >= 40


def _restarts(stage: Stage) -> None:
    assert stage.cluster is not None
    for mode in ("fast", "immediate", "fast"):
        time.sleep(1)
        stage.cluster.stop(mode)
        wait_for(lambda: "WHF0010" in _health(stage), "health names the database")
        time.sleep(AWAY_SECONDS)
        stage.cluster.start()
        wait_for(lambda: '"ready"' in _health(stage), "health is good again")


def _health(stage: Stage) -> str:
    return httpx.get(f"{stage.server.api}/health/ready", timeout=30).text
