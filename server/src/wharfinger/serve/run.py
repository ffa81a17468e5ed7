"""``wharfd serve``: lock, prepare, listen, fork, supervise."""

import functools
import select
import signal
import sys
import threading

from wharfinger.app import build_service
from wharfinger.background import run_jobs
from wharfinger.metrics import files as metrics_files
from wharfinger.metrics.access import require_token
from wharfinger.serve.apart import Apart, run_apart
from wharfinger.serve.files import make_private_folder
from wharfinger.serve.first_start import (
    lacks_authority,
    make_authority,
    prepare,
    refresh_addresses,
    welcome,
)
from wharfinger.serve.listeners import Listener, open_listeners, require_free
from wharfinger.serve.lock import lock_folder
from wharfinger.serve.logs import configure
from wharfinger.serve.supervisor import Child, Flag, Supervisor
from wharfinger.serve.worker import run_worker
from wharfinger.settings import Settings


class StartFailed(RuntimeError):
    """The data folder or the database could not be prepared."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        FolderInUse, AddressInUse, StartFailed, OSError: the service cannot start; what to do
            about it is in the text.
    """
    configure(settings)
    make_private_folder(settings.data_path)
    lock_folder(settings.data_path)
    require_free(settings)
    require_token(settings)
    if failure := _prepared(settings):
        raise StartFailed(f"the data folder {settings.data_path} could not be prepared: {failure}")
    refresh_addresses(settings)
    metrics_files.clear(settings)
    slots = open_listeners(settings)
    draining = Flag()
    children = [
        Child(f"http-{number}", functools.partial(_work, settings, slots, number, draining))
        for number in range(settings.http_workers)
    ]
    children.append(Child("jobs", functools.partial(_jobs, settings, slots)))
    gone = functools.partial(metrics_files.drop_gauges, metrics_files.folder_of(settings))
    supervisor = Supervisor(settings, children, draining, died=gone)
    print(welcome(settings), flush=True)  # noqa: T201 - what this command says to people
    supervisor.run(lambda: _close(slots))


def _prepared(settings: Settings) -> str:
    """Prepare the data folder and return why it failed; a new authority is made meanwhile."""
    if not lacks_authority(settings):
        return run_apart(lambda: prepare(settings))
    making = Apart(lambda: make_authority(settings))
    try:
        return run_apart(lambda: prepare(settings, making.failure))
    finally:
        making.reap()


def _work(
    settings: Settings, slots: list[list[Listener]], number: int, draining: Flag, life: int
) -> None:
    # Connections waiting on another slot's socket would hang if a copy lived here.
    _close([slot for index, slot in enumerate(slots) if index != number])
    name = f"http-{number}"
    run_worker(lambda: build_service(settings, draining, name), slots[number], settings, life)


def _jobs(settings: Settings, slots: list[list[Listener]], life: int) -> None:
    _close(slots)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(life, stop), daemon=True).start()
    worker = threading.Thread(target=run_jobs, args=(settings, stop))
    worker.start()
    # Signals are handled by the main thread, between waits.
    while worker.is_alive():
        worker.join(timeout=0.2)
    if not stop.is_set():
        sys.exit(1)


def _watch(life: int, stop: threading.Event) -> None:
    """End the jobs with the supervisor: the pipe ends when it does."""
    # Not by reading: the workers' loops made the shared end of the pipe non-blocking.
    poll = select.poll()
    poll.register(life, select.POLLIN)
    poll.poll()
    stop.set()


def _close(slots: list[list[Listener]]) -> None:
    for listeners in slots:
        for listener in listeners:
            listener.socket.close()
