"""What every route needs from the process it runs in."""

from collections.abc import Callable

from msgspec import Struct, field

from wharfinger.settings import Settings
from wharfinger.web.access_log import AccessLog
from wharfinger.web.meter import Meter, NoMeter
from wharfinger.web.notices import Adviser, Silent
from wharfinger.web.private import Private, Unrestricted
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls
from wharfinger.web.witness import Blind, Witness


class Web(Struct, frozen=True):
    """Shared parts of all surfaces; one for each worker.

    ``clock`` gives Unix seconds; ``draining`` tells whether new transfers are to be refused;
    ``witness`` is told what was refused; ``adviser`` knows what to tell who pushed; ``private``
    which namespaces only private networks reach.
    """

    settings: Settings
    threads: Threads
    urls: Urls
    clock: Callable[[], float]
    draining: Callable[[], bool]
    witness: Witness = field(default_factory=Blind)
    adviser: Adviser = field(default_factory=Silent)
    private: Private = field(default_factory=Unrestricted)
    meter: Meter = field(default_factory=NoMeter)
    access: AccessLog = field(default_factory=lambda: AccessLog("off"))
