"""What every route needs from the process it runs in."""

from collections.abc import Callable
from dataclasses import dataclass

from wharfinger.settings import Settings
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls


@dataclass(frozen=True, slots=True)
class Web:
    """Shared parts of all surfaces; one for each worker.

    ``clock`` gives Unix seconds; ``draining`` tells whether new transfers are to be refused.
    """

    settings: Settings
    threads: Threads
    urls: Urls
    clock: Callable[[], float]
    draining: Callable[[], bool]
