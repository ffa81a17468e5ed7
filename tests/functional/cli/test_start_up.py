"""A command starts fast: its processor time, as a ratio to that of an empty program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, program
from tests.support.server import Tenant

RUNS = 7


def processor_seconds(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """The least processor time of several runs: others that use the machine do not count."""
    times = []
    for _ in range(RUNS):
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        times.append(used.ru_utime + used.ru_stime)
    return min(times)


def ratio(user: CommandLine, *words: str) -> float:
    environ = user.environment
    empty = processor_seconds([sys.executable, "-c", "pass"], environ)
    return processor_seconds([program(user.name), *words], environ) / empty


def test_the_version_is_told_at_once(wharf: CommandLine) -> None:
    assert ratio(wharf, "version") <= 6


def test_a_question_to_the_service_starts_fast(
    signed_in: tuple[CommandLine, Tenant], house_wheels: dict[str, Path]
) -> None:
    ibmcloud, _ = signed_in
    ibmcloud.ok("plugin", "install", str(house_wheels["container-registry"]))

    assert ratio(ibmcloud.named("wharf"), "cr", "quota") <= 15


@pytest.mark.parametrize("module", ["argparse", "dataclasses", "json", "pathlib", "ssl"])
def test_the_version_is_told_without(module: str, wharf: CommandLine) -> None:
    command = [sys.executable, "-X", "importtime", program("wharf"), "version"]
    done = subprocess.run(
        command, env=wharf.environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("wharf version ")
    assert not re.search(rf"\| +{module}$", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    "module", ["dataclasses", "httpx", "urllib3", "click", "rich", "packaging"]
)
def test_a_start_does_without(module: str) -> None:
    """What the command line must not load before it knows what is asked."""
    if module == "dataclasses":
        script = "import sys, wharf.text, wharf.environment; sys.exit('dataclasses' in sys.modules)"
    else:
        script = f"import sys, wharf.running; sys.exit({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert done.returncode == 0
