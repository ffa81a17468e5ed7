"""Targets a service: looks whether it is one, and keeps what it says of itself."""

from typing import TYPE_CHECKING, Any

from wharf.config import Values
from wharf.regions import Region, Regions

if TYPE_CHECKING:
    from wharf.context import Context

KNOWN = "KnownEndpoints"
MOST_KNOWN = 10


def normal(endpoint: str) -> str:
    """Return an endpoint as a URL: https where no scheme was given, no slash at its end."""
    endpoint = endpoint.strip().rstrip("/")
    return endpoint if "://" in endpoint else f"https://{endpoint}"


def set_endpoint(context: "Context", endpoint: str, *, skip_ssl: bool | None = None) -> None:
    """Target the service at ``endpoint``; a sign-in to another service is forgotten.

    Raises:
        CallFailed: nothing of this kind answers there; nothing was changed.
    """
    from wharfinger_common.clients.control import ControlApi

    if skip_ssl is not None:
        # Only for this process, until the service has answered.
        context.config.values["SSLDisabled"] = skip_ssl
    info = ControlApi(context.transport(endpoint)).info()
    region = Regions(context, endpoint).find("")
    secure = not context.config.values.get("SSLDisabled")

    def change(kept: Values) -> None:
        if kept.get("APIEndpoint") not in {None, endpoint}:
            for name in ("IAMToken", "IAMRefreshToken", "User", "Account", "ResourceGroup"):
                kept.pop(name, None)
        kept.update(
            APIEndpoint=endpoint,
            IAMEndpoint=endpoint,
            ConsoleEndpoint=endpoint,
            SSLDisabled=not secure,
            **news(info),
        )
        others = [one for one in known_endpoints(kept) if one[1] != endpoint]
        told = [(region.name, endpoint), *others][:MOST_KNOWN]
        kept[KNOWN] = [{"Region": name, "URL": url} for name, url in told]
        kept.update(region_values(region))

    context.config.change(change)


def known_endpoints(kept: Values) -> list[tuple[str, str]]:
    """Return region and URL of the services that were targeted before, the last one first."""
    told = kept.get(KNOWN)
    entries = told if isinstance(told, list) else []
    # Once there were URLs alone.
    pairs = (one if isinstance(one, dict) else {"URL": one} for one in entries)
    return [(str(one.get("Region", "")), str(one["URL"])) for one in pairs if one.get("URL")]


def news(info: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of what a service says of itself."""
    plugins, cli = info.get("plugins"), info.get("cli")
    return {
        "APIVersion": str(info.get("version", "")),
        "HelpURL": str(info.get("help_url") or ""),
        "NewestCLI": cli if isinstance(cli, dict) else {},
        "PluginMinimums": plugins if isinstance(plugins, dict) else {},
    }


def newer_version(context: "Context") -> tuple[str, str] | None:
    """Return version and release notes of a newer command line, None where none is known.

    None too where the user does not want to know.
    """
    from packaging.version import InvalidVersion, Version

    from wharf import __version__
    from wharf.config import switch
    from wharf.environment import variable

    told = context.config.part("NewestCLI")
    asked = switch(variable(context.environ, "VERSION_CHECK"))
    wanted = not context.config.values.get("CheckCLIVersionDisabled") if asked is None else asked
    try:
        newer = wanted and Version(told.get("version", "")) > Version(__version__)
    except InvalidVersion:
        return None
    return (told["version"], told.get("url", "")) if newer else None


def region_values(region: Region) -> dict[str, Any]:
    """Return what is kept of the region that is targeted."""
    return {
        "Region": region.name,
        "RegionID": region.name,
        "RegionType": "public",
        "Registry": region.host,
        "ControlEndpoint": region.endpoint,
    }
