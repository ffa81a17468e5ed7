"""``cr region`` and ``region-set``: which region's registry the commands speak of."""

from wharf.plugin_api import Context, Text
from wharf.regions import Region, Regions
from wharf_container_registry.refusals import RegionInvalid


def show(context: Context) -> None:
    """Show the targeted region, with ``--network`` also what a firewall has to let through."""
    region = _targeted(context)
    if context.screen.machine:
        context.screen.json(region.raw)
        return
    context.say(
        Text(
            "You are targeting region '{region}', the registry is '{registry}'.",
            region=region.name,
            registry=context.registry,
        )
    )
    if context.call.on("network"):
        _networks(context, region)
    _end(context)


def choose(context: Context) -> None:
    """Target another region; without an argument, the one that is chosen from a list."""
    context.session.require()
    regions = list(Regions(context, context.session.endpoint))
    wanted = next(iter(context.call.arguments), None)
    region = _find(regions, wanted) if wanted is not None else _ask(context, regions)
    settings = context.settings
    settings.set("Region", region.name)
    settings.set("Registry", region.host)
    settings.set("Endpoint", region.endpoint)
    context.say(
        Text(
            "The region is set to '{region}', the registry is '{registry}'.",
            region=region.name,
            registry=region.host,
        )
    )
    _end(context)


def _targeted(context: Context) -> Region:
    regions = Regions(context, context.session.endpoint)
    return regions.find(str(context.settings.get("Region") or context.session.region))


def _find(regions: list[Region], wanted: str) -> Region:
    for region in regions:
        if wanted in {region.name, region.host, *region.aliases}:
            return region
    raise RegionInvalid(region=wanted)


def _ask(context: Context, regions: list[Region]) -> Region:
    names = [f"{each.name} ('{each.host}')" for each in regions]
    chosen = context.prompts.choose(Text("Choose a region"), names)
    return regions[chosen or 0]


def _networks(context: Context, region: Region) -> None:
    context.say()
    headers = (Text("Direction"), Text("Protocol"), Text("Network"), Text("Ports"))
    # A firewall that keeps no state has to let the answers in as well.
    rows = [
        (context.words(direction), each["protocol"], network, ", ".join(map(str, each["ports"])))
        for direction in (Text("outbound"), Text("inbound"))
        for each in region.networks
        for network in each["cidrs"]
    ]
    context.screen.table([context.words(each) for each in headers], rows)


def _end(context: Context) -> None:
    context.say()
    context.ok()
