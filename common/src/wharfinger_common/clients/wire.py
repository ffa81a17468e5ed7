"""Connections to one host: opened through a proxy where there is one, kept between requests.

Built on `http.client`, because a command that asks one question must not start slower than the
answer takes: the libraries that do more cost several times as much to import.
"""

import base64
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from wharfinger_common.clients.errors import ProxyFailed
from wharfinger_common.clients.failures import CONNECTING, TALKING, Called, failure_of


class Wire:
    """What carries requests to the host of ``base``; not for several threads.

    ``proxy`` is its URL, '' for none; ``timeout`` is in seconds, for each step; ``context`` gives
    what TLS is done with.
    """

    def __init__(
        self, base: SplitResult, proxy: str, timeout: float, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self._base: Final = base
        self._proxy: Final = urlsplit(proxy)
        self._timeout: Final = timeout
        self._context: Final = context
        self._kept: HTTPConnection | None = None
        self.proxy: Final = without_login(proxy)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HTTPResponse:
        """Send a request and return its answer, whose body is still to be read.

        Raises:
            Unreachable, AnswerUnusable: there is none.
        """
        connection = self._ready(url)
        target = url if self._through_proxy else _target(url)
        with self.mapped(url, talking=True):
            try:
                connection.request(method, target, body, {**headers, **self._login()})
                return connection.getresponse()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    @contextmanager
    def mapped(self, url: str, *, talking: bool) -> Iterator[None]:
        """Raise our errors for all that the block may raise."""
        try:
            yield
        except (OSError, HTTPException, UnicodeError) as error:
            called = Called(url, self._base.netloc, self.proxy, self._timeout)
            raise failure_of(error, called, TALKING if talking else CONNECTING) from error

    def _ready(self, url: str) -> HTTPConnection:
        """Return a connection that stands: the one of before, unless its other end closed it."""
        if self._kept is not None and self._kept.sock is not None and not _ended(self._kept.sock):
            return self._kept
        self.close()
        connection = self._opened()
        with self.mapped(url, talking=False):
            connection.connect()
        self._kept = connection
        return connection

    def _opened(self) -> HTTPConnection:
        base, proxy = self._base, self._proxy
        secure = base.scheme == "https"
        if not proxy.netloc:
            return self._connection(base.hostname or "", base.port, secure=secure)
        encrypted = proxy.scheme == "https"
        if encrypted and secure:
            reason = "https:// in https://"
            raise ProxyFailed(proxy=self.proxy, host=base.netloc, reason=reason)
        connection = self._connection(proxy.hostname or "", proxy.port, secure=secure or encrypted)
        if secure:
            connection.set_tunnel(base.hostname or "", base.port or 443, proxy_login(proxy))
        return connection

    def _connection(self, host: str, port: int | None, *, secure: bool) -> HTTPConnection:
        if secure:
            return HTTPSConnection(host, port, timeout=self._timeout, context=self._context())
        return HTTPConnection(host, port, timeout=self._timeout)

    @property
    def _through_proxy(self) -> bool:
        """Whether requests themselves are the proxy's to read."""
        return bool(self._proxy.netloc) and self._base.scheme == "http"

    def _login(self) -> dict[str, str]:
        return proxy_login(self._proxy) if self._through_proxy else {}


def without_login(url: str) -> str:
    """Return host and port of a proxy's URL: its user and password are nobody's business."""
    return url.rpartition("@")[2].rpartition("//")[2]


def proxy_login(proxy: SplitResult) -> dict[str, str]:
    """Return the header that signs in to a proxy, none where its URL names no user."""
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _ended(connection: socket.socket) -> bool:
    """Tell whether the other end closed: then there is something to read, though nothing asked."""
    with suppress(OSError, ValueError):
        # Not select(), which takes no descriptor above 1023.
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    return True
