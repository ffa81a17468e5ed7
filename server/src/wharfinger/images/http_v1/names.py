"""Names of images in requests and answers."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request

from wharfinger.images.model.names import LATEST, Hosts, ImageName
from wharfinger.regions import GLOBAL
from wharfinger.web.context import Web

_COMPONENT: Final = "[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = f"{_COMPONENT}(?:/{_COMPONENT})+"
_TAG: Final = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"
_DIGEST: Final = "sha256:[0-9a-f]{64}"


def _described(pattern: str) -> dict[str, Any]:
    """Describe the usual form without letting the framework check it: a host may come first."""
    return {"pattern": f"^{pattern}$", "maxLength": 255}


IMAGE: Final = _described(f"{_REPOSITORY}(?::{_TAG}|@{_DIGEST})?")
TAGGED: Final = _described(f"{_REPOSITORY}:{_TAG}")
DIGESTED: Final = _described(f"{_REPOSITORY}@{_DIGEST}")
REPOSITORY: Final = _described(_REPOSITORY)

ImagePath = Annotated[
    str,
    Path(
        description="image with tag or digest, percent-encoded; latest where neither stands",
        json_schema_extra=IMAGE,
    ),
]
TaggedPath = Annotated[
    str, Path(description="image with its tag, percent-encoded", json_schema_extra=TAGGED)
]
DigestedPath = Annotated[
    str, Path(description="image with its digest, percent-encoded", json_schema_extra=DIGESTED)
]
NamespaceQuery = Annotated[
    str, Query(max_length=255, pattern="^[^\\x00]*$", description="only of this namespace")
]


class Names:
    """Reads and writes image names as the host that a request calls wants them."""

    def __init__(self, web: Web) -> None:
        self._urls: Final = web.urls
        shared = {one.name: one.hosts[0] for one in web.urls.regions if one.hosts}
        self._global: Final = shared.get(GLOBAL)
        self._shared: Final[Mapping[str, Mapping[str, str]]] = {
            one.name: self._known(one.name) for one in web.urls.regions
        }

    def hosts(self, request: Request) -> Hosts:
        """Return the hosts by which the request may name images; answers use the one it calls."""
        region = self._urls.region(request)
        called = self._urls.host(request)
        preferred = {region: called}
        if self._global and region != GLOBAL:
            preferred[GLOBAL] = self._global
        return Hosts(region, preferred, {**self._shared[region], called.lower(): region})

    def image(
        self, request: Request, text: str, default_tag: str = LATEST
    ) -> tuple[ImageName, str]:
        """Return the image that ``text`` names, and its full name."""
        hosts = self.hosts(request)
        found = hosts.image(text, default_tag)
        return found, full_name(hosts, found)

    def _known(self, region: str) -> Mapping[str, str]:
        """Return the hosts of the region and those of public images."""
        return {
            host: one.name
            for one in self._urls.regions
            if one.name in {region, GLOBAL}
            for host in one.hosts
        }


def full_name(hosts: Hosts, image: ImageName) -> str:
    """Return the full name of an image."""
    if image.digest:
        return hosts.digested(image.region, image.repository, image.digest)
    return hosts.tagged(image.region, image.repository, image.tag)
