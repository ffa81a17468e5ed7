"""Which URL the client called, so that challenges and locations lead back the same way."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from wharfinger.regions import Regions
from wharfinger_common.catalogue import regions as region_entries
from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

_SHOWN: Final = 100
_HOST: Final = re.compile(
    r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](?::\d{1,5})?"
)


class HostUnknown(Refusal):
    """The request names no host, or something that cannot be one."""

    entry = entries.HOST_UNKNOWN


class HostMisdirected(Refusal):
    """The request's host belongs to no region."""

    entry = region_entries.HOST_MISDIRECTED


class Urls:
    """Builds absolute URLs for answers, and tells which region a request's host calls.

    With configured public URLs, the one with the request's host is used (the first, where none
    fits: some clients refuse a realm on another host than they called); without, the request's
    own scheme and host; so also where that is the host of a region. Forwarded headers count only
    from ``trusted_proxies``.
    """

    def __init__(
        self, public_urls: Iterable[str], trusted_proxies: Iterable[str], regions: Regions
    ) -> None:
        self.regions: Final = regions
        self._public: Final = tuple(url.rstrip("/") for url in public_urls)
        self._hosts: Final = {urlsplit(url).netloc: url for url in self._public}
        self._proxies: Final[tuple[IPv4Network | IPv6Network, ...]] = tuple(
            ip_network(network) for network in trusted_proxies
        )

    def base(self, request: HTTPConnection) -> str:
        """Return scheme and host for absolute URLs in the answer to ``request``.

        Raises:
            HostUnknown: there is no public URL to fall back on and no valid Host header.
        """
        scheme, host = self._called(request)
        if host in self._hosts:
            return self._hosts[host]
        if self._public and (self.regions.only or not self.regions.of_host(host)):
            return self._public[0]
        if not _HOST.fullmatch(host):
            raise HostUnknown
        return f"{scheme}://{host}"

    def host(self, request: HTTPConnection) -> str:
        """Return the host (with port) by which image references of this registry begin."""
        return self.base(request).partition("://")[2]

    def region(self, request: HTTPConnection) -> str:
        """Return the name of the region whose host the request calls.

        Raises:
            HostMisdirected: there are several, and it is none of theirs (RFC 9110, 421).
        """
        only = self.regions.only
        if only:
            return only.name
        _, host = self._called(request)
        found = self.regions.of_host(host)
        if found is None:
            raise HostMisdirected(host=host[:_SHOWN])
        return found.name

    def location(self, request: HTTPConnection, path: str) -> str:
        """Return the absolute URL of ``path``, which starts with a slash."""
        return self.base(request) + path

    def client_address(self, request: HTTPConnection) -> str:
        """Return the address of the client, as told by trusted proxies if it came through some."""
        address = peer(request.scope)
        if self._trusts(address):
            forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
            # The last entry that is no proxy of ours: what stands before it the client may forge.
            for entry in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
                address = unmapped(entry)
                if not self._trusts(address):
                    break
        return address[:64]

    def proxied(self, scope: Scope) -> bool:
        """Whether the request came through a trusted proxy: what it forwards may be believed."""
        return self._trusts(peer(scope))

    def _called(self, request: HTTPConnection) -> tuple[str, str]:
        scheme, host = request.scope.get("scheme", "http"), request.headers.get("host", "")
        if self._trusts(peer(request.scope)):
            scheme = request.headers.get("x-forwarded-proto", scheme)
            host = request.headers.get("x-forwarded-host", host)
        return ("https" if scheme == "https" else "http"), host

    def _trusts(self, address: str) -> bool:
        if not self._proxies:
            return False
        try:
            client = ip_address(address)
        except ValueError:
            return False
        return any(client in network for network in self._proxies)


def peer(scope: Scope) -> str:
    """Return the address that the connection came from; '' for a local socket."""
    client = scope.get("client")
    return unmapped(client[0]) if client else ""


def unmapped(address: str) -> str:
    """Return an IPv4 address as one where a socket of both families wrote it as IPv6.

    RFC 4291 section 2.5.5.2. Networks in settings would not hold it otherwise, and all IPv4
    clients would be one IPv6 network.
    """
    start, colon, rest = address.rpartition(":")
    return rest if colon and start.lower() == "::ffff" and "." in rest else address
