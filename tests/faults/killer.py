"""Kills processes of a server at random moments, and starts it again where none is left."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.faults.crew import Crew
from tests.support.processes import children
from tests.support.server import Server, wharfd

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.02


FSCK: Final = ("fsck", "--deep", "--repair", "--rate", "1000")
COMMANDS: Final = {"fsck": FSCK, "gc": ("gc",)}
SPARED: Final = "nobody, fsck ends"
KILLS: Final = (
    *("worker",) * 13,
    *("jobs",) * 6,
    *("supervisor",) * 3,
    *("everything",) * 2,
    *("fsck",) * 3,
    *("gc",) * 3,
    SPARED,
)
"""Who is killed in every hundred cycles."""

COMMAND_SECONDS: Final = (0.4, 1.6)
"""How long a command of the operator may run before it is killed."""


class Killer:
    """Kills workers, the jobs process, the supervisor, the operator's commands that check and
    collect, and all at once, in random order: `KILLS`, ``rounds`` times.

    ``pause`` gives the shortest and the longest time between two deaths, in seconds.
    """

    def __init__(
        self, server: Server, crew: Crew, seed: int, pause: tuple[float, float], rounds: int = 1
    ) -> None:
        self._kills = KILLS * rounds
        self._server = server
        self._crew = crew
        self._source = random.Random(seed)
        self._pause = pause

    def __call__(self) -> None:
        """Kill, and return when all is done, or a client has failed."""
        for victim in self._source.sample(self._kills, len(self._kills)):
            time.sleep(self._source.uniform(*self._pause))
            if self._crew.failed:
                return
            self._strike(victim)

    def _strike(self, victim: str) -> None:
        if victim in COMMANDS:
            self._command(victim, self._source.uniform(*COMMAND_SECONDS))
            return
        self._crew.tally.add(f"killed: {victim}")
        if victim == SPARED:
            self._command("fsck", DEADLINE_SECONDS)
        elif victim == "everything":
            self._server.kill9()
            self._server.start()
        elif victim == "supervisor":
            self._kill_supervisor()
        else:
            self._kill_child(victim)

    def _kill_supervisor(self) -> None:
        """Only it: what it left behind has to notice, end, and let go of the data folder."""
        left = children(self._server.pid)
        os.kill(self._server.pid, signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "children ended")
        self._server.kill9()
        self._server.start()

    def _command(self, name: str, seconds: float) -> None:
        """Check or collect beside the service, and die of it after that long."""
        with subprocess.Popen(
            [wharfd(), *COMMANDS[name]],
            env=self._server.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                told, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                assert seconds < DEADLINE_SECONDS, f"{name} does not end"
                self._crew.tally.add(f"killed: {name}")
                return
        # Among all that is under way nothing is wrong.
        assert process.returncode == 0, told
        self._crew.tally.add(f"ended by itself: {name}")

    def _kill_child(self, kind: str) -> None:
        names = _names(self._server)
        alive = children(self._server.pid)
        wanted = [pid for pid in alive if (names.get(pid) == "jobs") == (kind == "jobs")]
        if wanted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._source.choice(wanted), signal.SIGKILL)


def wait_for(holds: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_SECONDS)


def _names(server: Server) -> dict[int, str]:
    """What each process of the server is, as its log tells at level debug."""
    started = (
        json.loads(line)
        for line in server.log.read_text(errors="replace").splitlines()
        if '"process started"' in line
    )
    return {line["pid"]: line["process"] for line in started}
