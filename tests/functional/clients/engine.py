"""A Docker engine of the tests' own, with its own folders, on a socket of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.tools import ensure

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
CERTIFICATES = Path("/etc/docker/certs.d")
"""The engine looks for authorities here only; there is no setting for it."""


class DockerEngine:
    """Starts ``dockerd`` without touching the machine's network; a context manager.

    ``options`` are further ones of its, ``prefix`` is what it is run by (``ip netns exec NAME``).
    """

    def __init__(
        self, folder: Path, *, options: Sequence[str] = (), prefix: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._options = options
        self._prefix = prefix
        self.socket = folder / "d.sock"
        self._log = folder / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._trusted: list[Path] = []

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def trust(self, registry: str, authority: Path) -> None:
        """Makes the engine trust an authority for one registry, until it stops."""
        folder = CERTIFICATES / registry
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(authority, folder / "ca.crt")
        self._trusted.append(folder)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None
        self._unmount()
        for folder in self._trusted:
            shutil.rmtree(folder, ignore_errors=True)

    def _command(self) -> list[str]:
        return [
            *self._prefix,
            str(ensure("dockerd")),
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--storage-driver=overlay2",
            f"--data-root={self.folder / 'data'}",
            f"--exec-root={self.folder / 'exec'}",
            f"--pidfile={self.folder / 'pid'}",
            f"--host={self.host}",
            *self._options,
        ]

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        command = [str(ensure("docker")), "--host", self.host, "version"]
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"dockerd did not start:\n{self._log.read_text()[-4000:]}")

    def _unmount(self) -> None:
        """The engine leaves its network namespaces and layers mounted."""
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        points = [line.split()[1] for line in mounts]
        for point in sorted(points, reverse=True):
            if point.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", point], check=False)
