"""Maps what the HTTP library raises to `clients.errors`; nothing of it passes this boundary."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from urllib3 import exceptions as raised

from wharfinger_common.clients.errors import (
    AddressInvalid,
    AnswerLate,
    AnswerUnusable,
    CallFailed,
    CertificateExpired,
    CertificateOfAnother,
    CertificateUntrusted,
    ConnectionBroken,
    ConnectionDropped,
    ConnectionRefused,
    NameNotResolved,
    NetworkFailed,
    ProxyFailed,
    TlsFailed,
)

# Numbers of X509_verify_cert, which Python passes on as they are.
_NOT_IN_ITS_TIME: Final = frozenset({9, 10})
_OTHER_NAME: Final = frozenset({62, 64})


@dataclass(frozen=True, slots=True)
class Called:
    """What was called: host (with port), the proxy on the way if any, the timeout in seconds."""

    url: str
    host: str
    proxy: str
    seconds: float


KINDS: Final[Mapping[type[Exception], type[CallFailed]]] = MappingProxyType(
    {
        # The address
        raised.LocationValueError: AddressInvalid,
        raised.LocationParseError: AddressInvalid,
        raised.URLSchemeUnknown: AddressInvalid,
        raised.HostChangedError: AddressInvalid,
        raised.InvalidHeader: AnswerUnusable,
        # On the way there
        raised.NameResolutionError: NameNotResolved,
        raised.NewConnectionError: NetworkFailed,
        raised.ConnectTimeoutError: ConnectionDropped,
        raised.ProxyError: ProxyFailed,
        raised.ProxySchemeUnknown: ProxyFailed,
        raised.ProxySchemeUnsupported: ProxyFailed,
        raised.SSLError: TlsFailed,
        # Behind the connection
        raised.ReadTimeoutError: AnswerLate,
        raised.TimeoutError: AnswerLate,
        raised.ProtocolError: ConnectionBroken,
        raised.IncompleteRead: ConnectionBroken,
        raised.InvalidChunkLength: ConnectionBroken,
        raised.ResponseNotChunked: ConnectionBroken,
        raised.BodyNotHttplibCompatible: ConnectionBroken,
        raised.DecodeError: AnswerUnusable,
        raised.HeaderParsingError: AnswerUnusable,
        raised.ResponseError: AnswerUnusable,
        # What our use of the library cannot raise, and its roots, as the mildest true thing
        raised.UnrewindableBodyError: ConnectionBroken,
        raised.MaxRetryError: ConnectionBroken,
        raised.RequestError: ConnectionBroken,
        raised.PoolError: ConnectionBroken,
        raised.ClosedPoolError: ConnectionBroken,
        raised.EmptyPoolError: ConnectionBroken,
        raised.FullPoolError: ConnectionBroken,
        raised.TimeoutStateError: ConnectionBroken,
        raised.HTTPError: ConnectionBroken,
    }
)
"""Every error of the library to ours; a test proves that none is missing."""


def failure_of(error: Exception, called: Called) -> CallFailed:
    """Return our error for one of the HTTP library or of the operating system."""
    return _kind(error)(
        url=called.url,
        host=called.host,
        proxy=called.proxy,
        seconds=f"{called.seconds:g}",
        reason=_reason(error),
    )


def _kind(error: Exception) -> type[CallFailed]:
    if isinstance(error, raised.SSLError | ssl.SSLError):
        return _of_certificate(error)
    if isinstance(error, raised.NewConnectionError) and _root(error, ConnectionRefusedError):
        return ConnectionRefused
    for parent in type(error).__mro__:
        if parent in KINDS:
            return KINDS[parent]
    if isinstance(error, TimeoutError):
        return AnswerLate
    return NetworkFailed if isinstance(error, OSError) else ConnectionBroken


def _of_certificate(error: Exception) -> type[CallFailed]:
    cause = _root(error, ssl.SSLCertVerificationError)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return TlsFailed
    if cause.verify_code in _NOT_IN_ITS_TIME:
        return CertificateExpired
    return CertificateOfAnother if cause.verify_code in _OTHER_NAME else CertificateUntrusted


def _root(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Return the first of ``kind`` among an error, its causes and its arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, kind):
            return each
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            waiting += [*each.args, each.__cause__, each.__context__]
    return None


def _reason(error: Exception) -> str:
    """Return why, in the words of the operating system or of TLS, without addresses of objects."""
    cause = _root(error, OSError)
    if isinstance(cause, ssl.SSLError):
        return getattr(cause, "reason", None) or cause.strerror or "TLS"
    if isinstance(cause, socket.gaierror | OSError):
        return cause.strerror or str(cause)
    return type(error).__name__
