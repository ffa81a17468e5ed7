"""The command line from start to end, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.plan import Bench
from bench.servers import BYTECODE
from bench.table import Figure, Target
from tests.support.command_line import program
from tests.support.plugin_wheels import built

PASS = (sys.executable, "-c", "pass")
PLUGIN = "container-registry"
COMMANDS = (
    (("version",), 6, "the interpreter"),
    (("cr", "quota"), 15, "imports, one request on a new connection"),
)


def measure(bench: Bench) -> list[Figure]:
    """Milliseconds of a command, and how often an empty program runs in that time.

    Somebody is signed in to the service and has its plug-in installed; modules are compiled, as
    installing a package does. The empty program runs before each command and meets the same load.
    """
    environ = _environment(bench.scratch)
    _run(environ, "api", f"http://localhost:{bench.ours.port}")
    _run(environ, "login", "--apikey", bench.ours.api_key)
    _run(environ, "plugin", "install", str(built()[PLUGIN]))
    figures = []
    for words, most, bound in COMMANDS:
        bench.progress(f"wharf {' '.join(words)}")
        _run(environ, *words)  # compiles what the first run loads
        figures += _measured(bench, environ, words, Target(most_value=most), bound)
    return figures


def _measured(
    bench: Bench, environ: Mapping[str, str], words: Sequence[str], target: Target, bound: str
) -> list[Figure]:
    ours, times = [], []
    for _ in range(bench.plan.commands):
        empty = _milliseconds(PASS, environ)
        ours.append(_milliseconds([program("wharf"), *words], environ))
        times.append(ours[-1] / empty)
    name = f"wharf {' '.join(words)}"
    return [
        Figure(name, "ms", bound, ours),
        Figure(name, "x pass", bound, times, (), target),
    ]


def _milliseconds(command: Sequence[str], environ: Mapping[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - start)


def _run(environ: Mapping[str, str], *words: str) -> None:
    subprocess.run([program("wharf"), *words], env=environ, check=True, capture_output=True)


def _environment(scratch: Path) -> dict[str, str]:
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    ours = ("WHARF_", "IBMCLOUD_", "BLUEMIX_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(scratch / BYTECODE),
        "PYTHONDONTWRITEBYTECODE": "",
    }
