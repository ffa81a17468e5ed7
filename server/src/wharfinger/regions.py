"""Regions: what a deployment serves, and which one a request's host belongs to.

Namespaces, images, tokens, quotas and traffic are separate in each; accounts are shared.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

GLOBAL: Final = "global"
"""The region of the provider's public images: everybody may pull, only operators own anything."""

_NAME: Final = "^[a-z0-9][a-z0-9-]{0,31}$"
_HOST: Final = (
    r"^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?$"
)

Name = Annotated[str, Meta(pattern=_NAME)]
Host = Annotated[str, Meta(pattern=_HOST)]
_Networks = tuple[IPv4Network | IPv6Network, ...]


class RegionsInvalid(ValueError):
    """The regions contradict each other; the text says which and how."""


class NetworkGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Addresses and ports of the region that a firewall in front of its clients has to open."""

    cidrs: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=1000, description="networks, as CIDRs")
    ]
    ports: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65535)], ...],
        Meta(min_length=1, max_length=100, description="ports"),
    ] = (443, 4443)
    protocol: Annotated[Literal["tcp", "udp"], Meta(description="protocol")] = "tcp"


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One region. The first of its hosts is the one that clients are told."""

    name: Annotated[Name, Meta(description="name, unique in the deployment")]
    aliases: Annotated[
        tuple[Name, ...], Meta(max_length=100, description="other names that clients may use")
    ] = ()
    hosts: Annotated[
        tuple[Host, ...],
        Meta(
            max_length=100,
            description="hosts of its registry, the preferred one first; without a port, on all",
        ),
    ] = ()
    display_name: Annotated[str, Meta(max_length=100, description="name for people")] = ""
    networks: Annotated[
        tuple[NetworkGroup, ...],
        Meta(
            max_length=100,
            description="network groups that it publishes for firewalls: cidrs, ports, protocol",
        ),
    ] = ()
    private_networks: Annotated[
        tuple[str, ...],
        Meta(
            max_length=1000,
            description="networks (CIDR) from which accounts that are private_only push and pull",
        ),
    ] = ()


class Regions:
    """The regions of a deployment, one or several; look-ups cost a dictionary access or two.

    The first is the one where nothing else is said.

    Raises:
        RegionsInvalid: names or hosts clash, a host is missing, or a network is none.
    """

    def __init__(self, regions: Sequence[Region]) -> None:
        if not regions:
            raise RegionsInvalid("there is no region")
        self._regions: Final = tuple(regions)
        self.hosts: Final = _by_word("host", [(host, one) for one in regions for host in one.hosts])
        self._named: Final = _by_word(
            "name", [(word, one) for one in regions for word in (one.name, *one.aliases)]
        )
        self._private: Final = {
            one.name: _networks(one, one.private_networks) for one in self._regions
        }
        for one in self._regions:
            _require_whole(one, several=len(self._regions) > 1)

    def __iter__(self) -> Iterator[Region]:
        return iter(self._regions)

    def __contains__(self, name: object) -> bool:
        return name in self._private

    @property
    def first(self) -> Region:
        """The region where nothing else is said."""
        return self._regions[0]

    @property
    def only(self) -> Region | None:
        """The one region there is, whatever host is called; None if there are several."""
        return self._regions[0] if len(self._regions) == 1 else None

    def named(self, name: str) -> Region | None:
        """Return the region of this name or alias."""
        return self._named.get(name)

    def of_host(self, host: str) -> Region | None:
        """Return the region that a Host header (RFC 9110 section 7.2) calls; None if none does."""
        return self.only or self.hosts.get(host) or self._of_other_form(host.lower())

    def is_private(self, region: str, address: str) -> bool:
        """Whether the client's address is in a network that the region calls private."""
        try:
            client = ip_address(address)
        except ValueError:
            return False
        return any(client in network for network in self._private.get(region, ()))

    def _of_other_form(self, host: str) -> Region | None:
        """Find the host in capitals, with a port, with the dot of a full name."""
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdecimal():
            name = host
        return self.hosts.get(host) or self.hosts.get(name.rstrip("."))


def single(name: str) -> Regions:
    """Return the regions of a deployment that serves one, by whatever host it is called."""
    return Regions([Region(name=name)])


def _by_word(kind: str, pairs: Iterable[tuple[str, Region]]) -> dict[str, Region]:
    found: dict[str, Region] = {}
    for word, region in pairs:
        if word in found:
            raise RegionsInvalid(f"the {kind} '{word}' stands twice")
        found[word] = region
    return found


def _require_whole(region: Region, *, several: bool) -> None:
    if several and not region.hosts:
        raise RegionsInvalid(f"'{region.name}' needs hosts, as there are several regions")
    for group in region.networks:
        _networks(region, group.cidrs)


def _networks(region: Region, cidrs: Iterable[str]) -> _Networks:
    try:
        return tuple(ip_network(cidr) for cidr in cidrs)
    except ValueError as error:
        raise RegionsInvalid(f"'{region.name}': {error}") from error
