"""What the supervisor forks: HTTP workers, and the process of the jobs.

Importing this imports everything that workers need to be ready.
"""

import functools
import select
import signal
import sys
import threading
from typing import Final

from wharfinger.app import build_service
from wharfinger.cores import first
from wharfinger.serve.listeners import Listener
from wharfinger.serve.spreading import Spread
from wharfinger.serve.supervisor import Child, Flag
from wharfinger.serve.worker import run_worker
from wharfinger.settings import Settings

JOBS_AFTER_SECONDS: Final = 0.25
"""How long the jobs let the workers, who are waited for, have the processors to themselves."""


def children_of(settings: Settings, slots: list[list[Listener]], draining: Flag) -> list[Child]:
    """Return a worker for each slot of listeners, and the jobs."""
    spread, core = Spread(settings.http_workers), first()
    workers = [
        Child(
            f"http-{number}",
            functools.partial(_work, settings, slots, spread, number, core + number, draining),
            functools.partial(spread.left, number),
        )
        for number in range(settings.http_workers)
    ]
    return [*workers, Child("jobs", functools.partial(_jobs, settings, slots))]


def _work(
    settings: Settings,
    slots: list[list[Listener]],
    spread: Spread,
    number: int,
    core: int,
    draining: Flag,
    life: int,
) -> None:
    # Connections waiting on another slot's socket would hang if a copy lived here.
    close([slot for index, slot in enumerate(slots) if index != number])
    name = f"http-{number}"
    run_worker(
        lambda: build_service(settings, draining, name),
        slots[number],
        spread.place(number),
        settings,
        core,
        life,
    )


def _jobs(settings: Settings, slots: list[list[Listener]], life: int) -> None:
    close(slots)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(life, stop), daemon=True).start()
    worker = threading.Thread(target=_do_jobs, args=(settings, stop))
    worker.start()
    # Signals are handled by the main thread, between waits.
    while worker.is_alive():
        worker.join(timeout=0.2)
    if not stop.is_set():
        sys.exit(1)


def _do_jobs(settings: Settings, stop: threading.Event) -> None:
    if not stop.wait(JOBS_AFTER_SECONDS):
        # Nobody else needs it.
        from wharfinger.background import run_jobs

        run_jobs(settings, stop)


def _watch(life: int, stop: threading.Event) -> None:
    """End the jobs with the supervisor: the pipe ends when it does."""
    # Not by reading: the workers' loops made the shared end of the pipe non-blocking.
    poll = select.poll()
    poll.register(life, select.POLLIN)
    poll.poll()
    stop.set()


def close(slots: list[list[Listener]]) -> None:
    """Close this process's copies of the listeners."""
    for listeners in slots:
        for listener in listeners:
            listener.socket.close()
