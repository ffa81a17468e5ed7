"""The regions of the targeted service, and how to call each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wharf.refusals import RegionUnknown

if TYPE_CHECKING:
    from wharf.context import Context


@dataclass(frozen=True, slots=True)
class Region:
    """A region: image names begin with ``host``, control calls go to ``endpoint``."""

    name: str
    display_name: str
    host: str
    endpoint: str
    aliases: tuple[str, ...] = ()
    networks: tuple[dict[str, Any], ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)


class Regions:
    """All regions of the service at ``endpoint``, asked for when they are first needed."""

    def __init__(self, context: "Context", endpoint: str) -> None:
        from wharfinger_common.clients.control import ControlApi

        told = ControlApi(context.transport(endpoint)).regions()
        self.current: Final = str(told.get("current", ""))
        self._all: Final = [_region(one, endpoint, self.current) for one in told["regions"]]

    def __iter__(self) -> Iterator[Region]:
        return iter(self._all)

    def find(self, name: str) -> Region:
        """Return the region of this name or alias, the current one for ''.

        Raises:
            RegionUnknown: there is none.
        """
        wanted = name or self.current
        for region in self._all:
            if wanted in {region.name, *region.aliases}:
                return region
        raise RegionUnknown(region=wanted)


def _region(told: dict[str, Any], endpoint: str, current: str) -> Region:
    host = str(told["host"])
    scheme = endpoint.partition("://")[0]
    # The region that was called answers where it was called, whatever its preferred host is.
    own = told["name"] == current
    return Region(
        name=str(told["name"]),
        display_name=str(told.get("display_name") or told["name"]),
        host=host,
        endpoint=endpoint if own else f"{scheme}://{host}",
        aliases=tuple(told.get("aliases") or ()),
        networks=tuple(told.get("networks") or ()),
        raw=told,
    )
