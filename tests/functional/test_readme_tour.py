"""The tour of README.md, typed as it stands there, in a fresh copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.functional.clients.engine import DockerEngine
from tests.support.server import free_ports
from tests.support.tools import ensure

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300.0
STOP_SECONDS = 60.0
TOUR_SECONDS = 300.0
REFUSED = "refused: "


@dataclass
class Step:
    """One command of the tour and what the page says that it answers."""

    command: str
    answers: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return any(answer.startswith(REFUSED) for answer in self.answers)


def blocks() -> list[list[str]]:
    """The lines of each shell block of the tour; the first is what the first terminal runs."""
    tour = (ROOT / "README.md").read_text().split("## A tour of five minutes")[1].split("\n## ")[0]
    return [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)]


def steps() -> list[Step]:
    found: list[Step] = []
    for block in blocks()[1:]:
        for line in block:
            if line.startswith("# "):
                found[-1].answers.append(line.removeprefix("# "))
            else:
                found.append(Step(line))
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, because `make run` installs without what tests need."""
    folder = tmp_path_factory.mktemp("tour") / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", ".tools", "build", "data", ".*_cache")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def port(checkout: Path) -> Iterator[int]:
    """The port that `make run` serves on, started and ended as a person would."""
    assert blocks()[0] == ["make run"]
    chosen, trust = free_ports(2)
    log = checkout.with_name("run.log")
    variables = ("WHARFINGER_", "UV_PROJECT", "VIRTUAL_ENV", "MAKE", "MFLAGS")
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={chosen}", f"TRUST_PORT={trust}"],
            cwd=checkout,
            env={k: v for k, v in os.environ.items() if not k.startswith(variables)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_ready(process, chosen, log)
        assert f"docker login -u iamapikey localhost:{chosen}" in log.read_text()
        yield chosen
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"http://localhost:{port}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not ready after {START_SECONDS:.0f} s:\n{log.read_text()}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with DockerEngine(tmp_path_factory.mktemp("engine")) as running:
        yield running


def test_every_command_answers_as_the_page_says(
    checkout: Path, port: int, engine: DockerEngine, tmp_path: Path
) -> None:
    docker = ensure("docker")
    script = [f"cd '{checkout}'"]
    for number, step in enumerate(steps()):
        command = step.command.replace("localhost:5000", f"localhost:{port}")
        # One shell runs all, so that what a command sets is there for the next.
        script += [
            "{",
            command,
            f"}} > '{tmp_path}/{number}' 2>&1",
            f"echo $? > '{tmp_path}/{number}.status'",
        ]
    subprocess.run(
        ["bash", "-c", "\n".join(script)],
        env={
            **os.environ,
            "PATH": f"{docker.parent}:{os.environ['PATH']}",
            "DOCKER_HOST": engine.host,
            "DOCKER_CONFIG": str(tmp_path / "docker"),
        },
        stdin=subprocess.DEVNULL,
        timeout=TOUR_SECONDS,
        check=True,
    )

    for number, step in enumerate(steps()):
        output = (tmp_path / str(number)).read_text()
        failed = (tmp_path / f"{number}.status").read_text().strip() != "0"
        assert failed == step.refused, f"{step.command}\n{output}"
        for answer in step.answers:
            shown = answer.removeprefix(REFUSED).replace("localhost:5000", f"localhost:{port}")
            assert shown in output.replace(", ", ",").replace('": ', '":') or shown in output, (
                f"{step.command}\n{output}"
            )


def test_the_tour_shows_what_it_must() -> None:
    typed = "\n".join(step.command for step in steps())

    for shown in ("docker login", "namespace add", "docker push", "docker pull", "tags/list"):
        assert shown in typed
    assert "account add" in typed
    assert "DELETE" in typed
    assert sum(step.refused for step in steps()) == 2
