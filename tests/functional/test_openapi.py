"""The published description of the control API, held against the running server by schemathesis."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import Operator, Server

EXAMPLES = 30
SECONDS = 600


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own: what is sent at random takes roles away, and sets quotas to nothing."""
    with Server(tmp_path / "data") as running:
        yield running


def test_the_server_does_what_its_description_says(server: Server, tmp_path: Path) -> None:
    """All checks in all phases: examples, boundaries, random calls, and chains of calls."""
    operator = Operator.of(server)
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{server.api}/api/v1/openapi.json",
        f"--header=Authorization: Bearer {operator.iam_token()}",
        f"--header=Account: {operator.account}",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        "--generation-deterministic",
        "--no-color",
    ]
    operator.close()
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert run.returncode == 0, f"{run.stdout[-20_000:]}\n{run.stderr[-2_000:]}"
    assert httpx.get(f"{server.api}/health/ready").status_code == 200
