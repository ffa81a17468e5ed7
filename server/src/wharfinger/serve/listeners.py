"""The sockets that workers listen on, made before they are forked and kept by the supervisor.

Each worker slot has a socket of its own for every address (SO_REUSEPORT): the
kernel spreads connections by a hash, workers even them out (`wharfinger.serve.spreading`), and
what waits for a worker that died is served by its successor.
"""

import errno
import socket
import ssl
from pathlib import Path
from typing import Final

from msgspec import Struct

from wharfinger.serve.certificates import ensure_server_certificate
from wharfinger.settings import Settings

BACKLOG: Final = 1024


class AddressInUse(RuntimeError):
    """A port is taken, or the address is none to listen on."""


class CertificateUnusable(RuntimeError):
    """The operator's certificate or its key cannot be used."""


class Listener(Struct, frozen=True):
    """One socket, its TLS context where it speaks TLS, and whether it serves metrics only."""

    socket: socket.socket
    tls: ssl.SSLContext | None
    figures: bool = False


def open_listeners(settings: Settings) -> list[list[Listener]]:
    """Return the listeners of each worker slot.

    Raises:
        AddressInUse: somebody else has the port.
        CertificateUnusable: as `tls_context`.
    """
    tls = tls_context(settings) if settings.tls_port else None
    slots = []
    for _ in range(settings.http_workers):
        listeners = [Listener(_bound(settings.host, settings.port), None)]
        if tls is not None:
            listeners.append(Listener(_bound(settings.host, settings.tls_port), tls))
        if settings.metrics_port:
            bound = _bound(settings.metrics_host, settings.metrics_port)
            listeners.append(Listener(bound, None, figures=True))
        slots.append(listeners)
    return slots


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context: the operator's certificate, or one of the service's authority.

    Raises:
        CertificateUnusable: the operator's cannot be read, or certificate and key do not fit.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if settings.tls_certificate:
        _load(context, settings.tls_certificate, settings.tls_key)
    else:
        files = ensure_server_certificate(settings.tls_path, settings.certificate_names)
        context.load_cert_chain(files.chain, files.key)
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        for file in (certificate, key):
            Path(file).read_bytes()
        context.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except OSError as error:
        raise CertificateUnusable(
            f"tls_certificate: '{certificate}' with tls_key '{key}' cannot be used: {error}; name "
            "a PEM file with the certificate, then those that signed it, and another with its key"
        ) from error


def _refuse_passphrase() -> str:
    """Stand for the terminal that OpenSSL would ask, and wait for."""
    raise OSError("the key is encrypted, and nobody is asked for its passphrase")


def require_free(settings: Settings) -> None:
    """Refuse ports that another program listens on: SO_REUSEPORT alone would share them.

    Raises:
        AddressInUse: one of them is taken.
    """
    host, figures = settings.host, (settings.metrics_host, settings.metrics_port)
    for address, port in ((host, settings.port), (host, settings.tls_port), figures):
        if port:
            with socket.socket(_family(address)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                _bind(probe, address, port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(_family(host))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _bind(bound, host, port)
    bound.listen(BACKLOG)
    bound.setblocking(False)
    return bound


def _bind(unbound: socket.socket, host: str, port: int) -> None:
    try:
        unbound.bind((host, port))
    except OSError as error:
        raise AddressInUse(
            f"cannot listen on {host}:{port}: {error.strerror}; {_cure_of(error)}"
        ) from error


def _cure_of(error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return (
            "listen on an address of this machine, or on 0.0.0.0 for all of them "
            "(WHARFINGER_HOST, WHARFINGER_METRICS_HOST)"
        )
    if error.errno == errno.EACCES:
        return "choose a port above 1023 (make run PORT=..., WHARFINGER_PORT)"
    return "stop what uses the port, or choose another (make run PORT=..., WHARFINGER_PORT)"
