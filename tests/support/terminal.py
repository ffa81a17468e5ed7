"""A command on a terminal: what a person sees, and types when asked."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

SECONDS = 60.0


class Terminal:
    """Runs a command with a terminal for all three streams; a context manager."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self.shown = ""
        self._at = 0

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            self._command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**self._environ, "TERM": "xterm"},
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no threads here, and the tty must be ours
        )
        os.close(slave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._master)

    def until(self, text: str) -> str:
        """Read until ``text`` was shown, behind what was read before, and return that."""
        deadline = time.monotonic() + SECONDS
        while (found := self.shown.find(text, self._at)) < 0:
            assert self._read(deadline), f"{text!r} was not shown:\n{self.shown}"
        seen = self.shown[self._at : found + len(text)]
        self._at += len(seen)
        return seen

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._master, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        os.write(self._master, b"\x03")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            pass
        return self._process.wait(SECONDS)

    def _read(self, deadline: float) -> str:
        # Not select(), which takes no descriptor above 1023: a long test run has more than that.
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return ""
        try:
            piece = os.read(self._master, 4096).decode("utf-8", "replace").replace("\r\n", "\n")
        except OSError:
            # The other end is closed: the command has ended.
            return ""
        self.shown += piece
        return piece


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # Whoever runs the tests in the background may have them ignore it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
