"""Maps what HTTP, TLS and the operating system raise to `clients.errors`; nothing else passes."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import client as raised
from types import MappingProxyType
from typing import Final

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

Kinds = Mapping[type[BaseException], type[CallFailed]]


@dataclass(frozen=True, slots=True)
class Called:
    """What was called: host (with port), the proxy on the way if any, the timeout in seconds."""

    url: str
    host: str
    proxy: str
    seconds: float


CONNECTING: Final[Kinds] = MappingProxyType(
    {
        socket.gaierror: NameNotResolved,
        # A name with a label that is empty or too long.
        UnicodeError: NameNotResolved,
        ConnectionRefusedError: ConnectionRefused,
        TimeoutError: ConnectionDropped,
        ssl.SSLError: TlsFailed,
        OSError: NetworkFailed,
    }
)
"""Errors before a connection stands."""

TALKING: Final[Kinds] = MappingProxyType(
    {
        TimeoutError: AnswerLate,
        ssl.SSLError: ConnectionBroken,
        OSError: ConnectionBroken,
        raised.InvalidURL: AddressInvalid,
        raised.UnknownProtocol: AnswerUnusable,
        raised.UnknownTransferEncoding: AnswerUnusable,
        raised.UnimplementedFileMode: AnswerUnusable,
        raised.BadStatusLine: AnswerUnusable,
        raised.LineTooLong: AnswerUnusable,
        raised.RemoteDisconnected: ConnectionBroken,
        raised.IncompleteRead: ConnectionBroken,
        raised.NotConnected: ConnectionBroken,
        # What only a wrong use of the library raises, and the root of all.
        raised.ImproperConnectionState: ConnectionBroken,
        raised.CannotSendRequest: ConnectionBroken,
        raised.CannotSendHeader: ConnectionBroken,
        raised.ResponseNotReady: ConnectionBroken,
        raised.HTTPException: ConnectionBroken,
    }
)
"""Errors on a connection that stands; a test proves that none of the library's is missing."""


def failure_of(error: BaseException, called: Called, kinds: Kinds) -> CallFailed:
    """Return our error for ``error``, by one of the two maps."""
    return _kind(error, called, kinds)(
        url=called.url,
        host=called.host,
        proxy=called.proxy,
        seconds=f"{called.seconds:g}",
        reason=_reason(error),
    )


def _kind(error: BaseException, called: Called, kinds: Kinds) -> type[CallFailed]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error)
    if called.proxy and kinds is CONNECTING and not isinstance(error, ssl.SSLError):
        return ProxyFailed
    found = next((kinds[parent] for parent in type(error).__mro__ if parent in kinds), None)
    return found or ConnectionBroken


def _of_certificate(error: ssl.SSLCertVerificationError) -> type[CallFailed]:
    code = getattr(error, "verify_code", 0)
    if code in _NOT_IN_ITS_TIME:
        return CertificateExpired
    return CertificateOfAnother if code in _OTHER_NAME else CertificateUntrusted


def _reason(error: BaseException) -> str:
    """Return why, in the words of the operating system or of TLS."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "reason", None) or error.strerror or "TLS"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return type(error).__name__
