"""``GET /api/v1/regions``: what regions there are, for everybody; loaded after readiness."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from wharfinger.regions import GLOBAL, Region
from wharfinger.web.context import Web


class NetworkView(BaseModel):
    """Addresses and ports that a firewall in front of clients has to open, both ways."""

    cidrs: list[str]
    ports: list[int]
    protocol: str


class RegionView(BaseModel):
    """A region; ``host`` is the one that image names begin with."""

    name: str
    aliases: list[str] = Field(description="other names that mean this region")
    display_name: str
    host: str
    hosts: list[str] = Field(description="all hosts of its registry, the preferred one first")
    networks: list[NetworkView]
    public_images: bool = Field(description="holds the provider's images, which everybody may pull")

    @classmethod
    def of(cls, region: Region, called: str) -> "RegionView":
        """Return the view of ``region``; one without hosts is served by the host that is called."""
        hosts = list(region.hosts) or [called]
        return cls(
            name=region.name,
            aliases=list(region.aliases),
            display_name=region.display_name or region.name,
            host=hosts[0],
            hosts=hosts,
            networks=[
                NetworkView(cidrs=list(one.cidrs), ports=list(one.ports), protocol=one.protocol)
                for one in region.networks
            ],
            public_images=region.name == GLOBAL,
        )


class RegionList(BaseModel):
    """All regions, and which of them the request called."""

    current: str
    regions: list[RegionView]


def router(web: Web) -> APIRouter:
    """Return the route of the list of regions, which asks for no credentials."""
    api = APIRouter(tags=["regions"])

    @api.get("/api/v1/regions", operation_id="list_regions", openapi_extra={"security": []})
    async def regions(request: Request) -> RegionList:
        """List the regions, their hosts, and the networks to open for them."""
        urls = web.urls
        called = urls.host(request)
        return RegionList(
            current=urls.region(request),
            regions=[RegionView.of(region, called) for region in urls.regions],
        )

    return api
