"""``wharfd serve``: lock, prepare, listen, fork, supervise."""

import functools
from contextlib import suppress

from wharfinger.metrics import files as metrics_files
from wharfinger.serve.apart import Apart
from wharfinger.serve.certificates import ensure_authority, has_authority
from wharfinger.serve.files import make_data_folder
from wharfinger.serve.listeners import open_listeners, require_free
from wharfinger.serve.lock import lock_folder
from wharfinger.serve.logs import configure
from wharfinger.settings import Settings


class StartFailed(RuntimeError):
    """The data folder or the database could not be prepared."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        FolderUnusable, FolderInUse, AddressInUse, CertificateUnusable, StartFailed, OSError: the
            service cannot start; what to do about it is in the text.
    """
    configure(settings)
    make_data_folder(settings.data_path)
    lock_folder(settings.data_path)
    require_free(settings)
    _prepare(settings)
    # Imported by now; see there.
    from wharfinger.metrics.access import require_token
    from wharfinger.serve.first_start import refresh_addresses, welcome
    from wharfinger.serve.processes import children_of, close
    from wharfinger.serve.supervisor import Flag, Supervisor

    require_token(settings)
    refresh_addresses(settings)
    metrics_files.clear(settings)
    slots = open_listeners(settings)
    draining = Flag()
    gone = functools.partial(metrics_files.drop_gauges, metrics_files.folder_of(settings))
    supervisor = Supervisor(settings, children_of(settings, slots, draining), draining, died=gone)
    # A log on a full disk takes nothing, and is no reason not to serve what is there.
    with suppress(OSError):
        print(welcome(settings), flush=True)  # noqa: T201 - what this command says to people
    supervisor.run(lambda: close(slots))


def _prepare(settings: Settings) -> None:
    """Prepare the data folder in a process of its own, and import what serves meanwhile.

    A new authority is made in a third one. Importing takes as long as everything else, so each
    process is forked as soon as what it needs was imported.
    """
    folder = settings.tls_path
    making = None if has_authority(folder) else Apart(lambda: ensure_authority(folder))
    from wharfinger.serve.first_start import prepare

    preparing = Apart(lambda: prepare(settings, making.failure if making else None))
    try:
        import wharfinger.serve.processes  # noqa: F401

        failure = preparing.failure()
    finally:
        preparing.reap()
        if making is not None:
            making.reap()
    if failure:
        raise StartFailed(f"the data folder {settings.data_path} could not be prepared: {failure}")
