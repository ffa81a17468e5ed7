"""``target`` and ``regions``."""

from typing import Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

_JSON: Final = Flag("output", Text("Form of the output"), "choice", choices=("text", "json"))

COMMANDS: Final = (
    Command(
        "target",
        Text("Set or view the targeted account, region and resource group"),
        "wharf.commands.target:target",
        flags=(
            Flag("r", Text("Name of the region"), "text", metavar="REGION"),
            Flag("c", Text("Id of the account"), "text", metavar="ACCOUNT_ID"),
            Flag("g", Text("Name of the resource group"), "text", metavar="RESOURCE_GROUP"),
            Flag("cf", Text("Kept without effect"), hidden=True),
            Flag("o", Text("Organization, kept without effect"), "text", metavar="ORG"),
            Flag("s", Text("Space, kept without effect"), "text", metavar="SPACE"),
            _JSON,
        ),
    ),
    Command(
        "regions",
        Text("List the regions of the service"),
        "wharf.commands.target:regions",
        flags=(_JSON,),
    ),
)


def target(context: Context) -> None:
    """Change what the flags name, and show where that leads."""
    from wharf.account_rows import show

    context.session.require()
    _region(context)
    _account(context)
    if group := context.call.text("g"):
        context.config.set(ResourceGroup={"Name": group})
        context.say(Text("Targeted resource group {group}", group=group))
        context.say()
    for flag, name in (("o", "Org"), ("s", "Space")):
        if context.call.given(flag):
            context.config.set(**{name: context.call.text(flag)})
    show(context)


def _region(context: Context) -> None:
    if not (name := context.call.text("r")):
        return
    from wharf.endpoints import region_values
    from wharf.regions import Regions

    region = Regions(context, context.session.endpoint).find(name)
    context.config.set(**region_values(region))
    context.say(Text("Switched to region {region}", region=region.name))
    context.say()


def _account(context: Context) -> None:
    if not (wanted := context.call.text("c")):
        return
    from wharf.refusals import NamedNotThere
    from wharfinger_common.clients.identity import IdentityApi, TokenExchange

    session = context.session
    transport = context.transport(session.endpoint)
    accounts = IdentityApi(transport, session.token(), "").bearer()["accounts"]
    found = next((one for one in accounts if wanted in {one["id"], one["name"]}), None)
    if found is None:
        raise NamedNotThere(kind=Text("account"), name=wanted)
    if found["id"] != context.config.part("Account").get("GUID"):
        refresh = context.config.text("IAMRefreshToken")
        tokens = TokenExchange(transport).by_refresh(refresh, found["id"])
        account = {"GUID": found["id"], "Name": found["name"], "Owner": session.user}
        session.keep(tokens, Account=account, ResourceGroup={"Name": "default"})
    context.say(Text("Targeted account {name} ({id})", name=found["name"], id=found["id"]))
    context.say()


def regions(context: Context) -> None:
    """List the regions."""
    from wharf.regions import Regions

    context.say(Text("Listing regions..."))
    context.say()
    found = Regions(context, context.session.endpoint)
    if context.screen.machine:
        context.screen.json([region.raw for region in found])
        return
    headers = (
        Text("Name"),
        Text("Geolocation"),
        Text("Customer"),
        Text("Deployment"),
        Text("Domain"),
        Text("CF API Endpoint"),
        Text("Type"),
    )
    product = context.brand.product
    context.table(
        headers,
        [
            (one.name, one.display_name, product, "Production", one.host, one.endpoint, "public")
            for one in found
        ],
    )
    context.say()
