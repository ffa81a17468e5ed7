"""Ports, and the hosts that clients are sent to."""

import fcntl
import os
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from wharfinger.doctor.site import Site, fine, health, warning, wrong
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding
from wharfinger_common.languages import Text

PORTS, HOSTS = "ports", "hosts"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def exposed(site: Site) -> Iterator[Finding]:
    """Look whether secrets would cross the network in plain text."""
    settings = site.settings
    guarded = settings.tls_port or settings.trusted_proxies
    if settings.host not in LOOPBACK and not guarded:
        yield warning("settings", doctor.PLAIN_HTTP_EXPOSED, host=settings.host)
    else:
        yield fine("settings", Text("the settings are valid"))


def ports(site: Site) -> Iterator[Finding]:
    """Look who listens on the service's ports."""
    settings, running = site.settings, _is_running(site)
    for port, tls in ((settings.port, False), (settings.tls_port, True)):
        if port:
            yield _port(settings.host, port, tls=tls, running=running)


def hosts(site: Site) -> Iterator[Finding]:
    """Look whether public URLs and region hosts have addresses."""
    named = [("public_urls", urlsplit(url).hostname or "") for url in site.settings.public_urls]
    named += [
        ("regions", urlsplit(f"//{host}").hostname or "")
        for region in site.settings.served
        for host in region.hosts
    ]
    for setting, host in named:
        if site.resolves(host):
            yield fine(HOSTS, Text("the host {host} has an address", host=host))
        else:
            yield warning(HOSTS, doctor.HOST_UNRESOLVED, host=host, setting=setting)


def _port(host: str, port: int, *, tls: bool, running: bool) -> Finding:
    where = {"host": host, "port": port}
    answer = health(host, port, tls=tls)
    if answer is not None and not answer.ours:
        return wrong(PORTS, doctor.PORT_TAKEN, **where)
    if answer is not None and answer.waiting:
        return wrong(PORTS, doctor.NOT_READY, **where, parts=answer.waiting)
    if answer is not None:
        return fine(PORTS, Text("the service is ready on {host}:{port}", **where))
    if running:
        return wrong(PORTS, doctor.NOT_SERVED, **where)
    return fine(PORTS, Text("{host}:{port} is free; the service does not run", **where))


def _is_running(site: Site) -> bool:
    """Whether a service holds the lock of the data folder."""
    try:
        descriptor = os.open(site.settings.data_path / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
