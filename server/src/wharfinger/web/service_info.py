"""``GET /api/v1/info``: what a program wants to know before it signs in; loaded after readiness."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from wharfinger import __version__
from wharfinger.web.context import Web

API_VERSION = "1"


class CommandLineInfo(BaseModel):
    """The newest version of the command line, and its release notes; '' for unknown."""

    version: str
    url: str


class ServiceInfo(BaseModel):
    """The service, its versions, and where its help is."""

    product: str
    version: str
    api_version: str
    time: str = Field(description="the service's clock, RFC 3339, UTC")
    help_url: str = Field(description="where its operator offers help; '' for the service's pages")
    cli: CommandLineInfo
    plugins: dict[str, str] = Field(
        description="plug-in of the command line to the least version that may be used"
    )


def router(web: Web) -> APIRouter:
    """Return the route, which asks for no credentials."""
    api = APIRouter(tags=["service"])

    @api.get("/api/v1/info", operation_id="get_info", openapi_extra={"security": []})
    async def info() -> ServiceInfo:
        """Tell versions, the time, and which plug-ins of the command line are too old."""
        now = datetime.fromtimestamp(web.clock(), UTC)
        pairs = (one.partition("=") for one in web.settings.plugin_minimums)
        return ServiceInfo(
            product="Wharfinger",
            version=__version__,
            api_version=API_VERSION,
            time=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            help_url=web.settings.help_url.partition("{code}")[0],
            cli=CommandLineInfo(version=web.settings.cli_version, url=web.settings.cli_url),
            plugins={name: version for name, _, version in pairs},
        )

    return api
