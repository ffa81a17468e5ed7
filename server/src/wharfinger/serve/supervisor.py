"""The supervisor: forks the HTTP workers and the jobs process, and ends them in order.

It imports everything once and makes no engine, connection or thread, so that the processes it
forks share their memory and start in milliseconds. It respawns what dies, and on SIGTERM drains:
readiness fails and new transfers get 503 for ``drain_seconds``; then the listeners close and
running transfers finish within ``shutdown_seconds``.
"""

import contextlib
import gc
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from wharfinger.settings import Settings
from wharfinger.web.log import EventLog

_log: Final = EventLog("wharfinger.serve")
_SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_TICK: Final = 1.0
_QUICK_DEATH_SECONDS: Final = 5.0
_MAX_DELAY: Final = 30.0
_KILL_AFTER_SECONDS: Final = 5.0


class Flag:
    """One bit that a parent sets and forked children read without a system call."""

    def __init__(self) -> None:
        self._byte: Final = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Set it, for good."""
        self._byte[0] = 1

    def __call__(self) -> bool:
        """Whether it is set."""
        return self._byte[0] == 1


def _nothing() -> None:
    """Do nothing."""


class Child(Struct):
    """A process the supervisor keeps alive; ``run`` gets the life pipe and returns at the end.

    ``ended`` is called in the supervisor when the process has ended.
    """

    name: str
    run: Callable[[int], None]
    ended: Callable[[], None] = _nothing
    pid: int = 0
    born: float = 0.0
    deaths: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """Keeps children running until a signal, then ends them.

    ``died`` is told the name of each child that ended, before the next one takes its place.
    """

    def __init__(
        self,
        settings: Settings,
        children: list[Child],
        draining: Flag,
        died: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings: Final = settings
        self._children: Final = children
        self._draining: Final = draining
        self._told_death: Final = died
        self._life_reader, self._life_writer = os.pipe()

    def run(self, close_listeners: Callable[[], None]) -> None:
        """Run until SIGTERM or SIGINT and the end of all children.

        ``close_listeners`` closes the supervisor's own copies of the listening sockets.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        # Children neither touch nor copy what the parent already has.
        gc.freeze()
        gc.enable()
        for child in self._children:
            self._spawn(child)
        self._keep_running()
        self._draining.set()
        _log.info("draining", seconds=self._settings.drain_seconds)
        self._wait(time.monotonic() + self._settings.drain_seconds, stop_early=True)
        close_listeners()
        self._end()
        _log.info("stopped")

    def _keep_running(self) -> None:
        while True:
            now = time.monotonic()
            for child in self._children:
                if not child.pid and child.due <= now:
                    self._spawn(child)
            waits = [max(0.0, child.due - now) for child in self._children if not child.pid]
            if self._signalled(min([_TICK, *waits])):
                return
            self._reap(respawn=True)

    def _end(self) -> None:
        self._signal_all(signal.SIGTERM)
        self._wait(time.monotonic() + self._settings.shutdown_seconds + _KILL_AFTER_SECONDS)
        self._signal_all(signal.SIGKILL)
        self._wait(time.monotonic() + _KILL_AFTER_SECONDS)

    def _wait(self, deadline: float, *, stop_early: bool = False) -> None:
        """Reap until all children are gone or the deadline; a second signal ends a grace time."""
        while any(child.pid for child in self._children) and time.monotonic() < deadline:
            if self._signalled(max(0.0, deadline - time.monotonic())) and stop_early:
                return
            self._reap(respawn=False)

    @staticmethod
    def _signalled(timeout: float) -> bool:
        """Whether one of the ending signals arrived within ``timeout`` seconds."""
        info = signal.sigtimedwait(_SIGNALS, timeout)
        return info is not None and info.si_signo != signal.SIGCHLD

    def _reap(self, *, respawn: bool) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    self._died(child, os.waitstatus_to_exitcode(status), respawn=respawn)

    def _died(self, child: Child, code: int, *, respawn: bool) -> None:
        child.ended()
        with contextlib.suppress(OSError):
            self._told_death(child.name)
        now = time.monotonic()
        quick = now - child.born < _QUICK_DEATH_SECONDS
        child.deaths = child.deaths + 1 if quick else 0
        child.pid = 0
        child.due = now + (min(_MAX_DELAY, 0.2 * 2**child.deaths) if quick else 0.0)
        if respawn:
            _log.error("process died", process=child.name, code=code, again_in=child.due - now)

    def _spawn(self, child: Child) -> None:
        child.born = time.monotonic()
        pid = os.fork()
        if pid:
            child.pid = pid
            _log.debug("process started", process=child.name, pid=pid)
            return
        code = 1
        try:
            os.close(self._life_writer)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            child.run(self._life_reader)
            code = 0
        except BaseException:
            _log.exception("process failed", process=child.name)
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)
