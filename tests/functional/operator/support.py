"""What the tests of the operator's commands share: a command, a transfer, a look at processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.support import processes
from tests.support.server import Operator, Server, wharfd

COMMAND_SECONDS = 60.0
EVENT_SECONDS = 30.0
CHUNK = 1024 * 1024
BOUND = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def command(
    *arguments: str,
    given: str | None = None,
    settings: Mapping[str, str] | None = None,
    bound_by_modes: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Runs ``wharfd`` with no settings but those given.

    ``bound_by_modes``: what may be done with a file is what its mode says, also for root.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("WHARFINGER_")}
    return subprocess.run(
        [*(BOUND if bound_by_modes and os.geteuid() == 0 else ()), wharfd(), *arguments],
        env={**inherited, **(settings or {})},
        input=given,
        capture_output=True,
        timeout=COMMAND_SECONDS,
        text=True,
        check=False,
    )


def answer(*arguments: str, given: str | None = None) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = command(*arguments, "--output", "json", given=given)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + EVENT_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not within {EVENT_SECONDS:.0f} s: {what}"
        time.sleep(0.02)


class Transfer:
    """A blob on its way: half of its bytes sent, the rest when told."""

    def __init__(self, server: Server, who: Operator) -> None:
        self.content = os.urandom(4 * CHUNK)
        self.digest = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        self.status = 0
        self._server = server
        self._go_on = threading.Event()
        self._under_way = threading.Event()
        who.add_namespace("drain")
        self._token = who.registry_token(["repository:drain/app:pull,push"])
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        assert self._under_way.wait(EVENT_SECONDS)

    def is_received(self) -> bool:
        """Whether a request of the server's holds the upload by now."""
        with sqlite3.connect(self._server.data / "wharfinger.db", timeout=30) as connection:
            held = connection.execute("SELECT 1 FROM uploads WHERE leased_until > 0").fetchone()
        connection.close()
        return held is not None

    def finish(self) -> int:
        """Sends the rest and returns the status that the server answers."""
        self._go_on.set()
        self._thread.join(EVENT_SECONDS)
        return self.status

    def _body(self) -> Iterator[bytes]:
        yield self.content[: 2 * CHUNK]
        self._under_way.set()
        assert self._go_on.wait(EVENT_SECONDS)
        yield self.content[2 * CHUNK :]

    def _send(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._server.api, headers=headers, timeout=60) as http:
            opened = http.post("/v2/drain/app/blobs/uploads/")
            sized = {"Content-Length": str(len(self.content))}
            with contextlib.suppress(httpx.TransportError):  # cut off: there is no status
                put = http.put(
                    opened.headers["Location"],
                    params={"digest": self.digest},
                    content=self._body(),
                    headers=sized,
                )
                self.status = put.status_code


def children(pid: int) -> list[int]:
    return [child for child in processes.children(pid) if alive(child)]


def gone(parent: int, child: int) -> bool:
    return child not in children(parent)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listens(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.api}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False
