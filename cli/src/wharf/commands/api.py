"""``api``: which service is targeted."""

from typing import Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

COMMANDS: Final = (
    Command(
        "api",
        Text("Set or view the API endpoint of the service"),
        "wharf.commands.api:api",
        arguments="[API_ENDPOINT]",
        most=1,
        flags=(
            Flag("unset", Text("Remove the API endpoint")),
            Flag("skip-ssl-validation", Text("Do not check the certificate of the service")),
            Flag("output", Text("Form of the output"), "choice", choices=("text", "json")),
        ),
    ),
)


def api(context: Context) -> None:
    """Set the endpoint that the argument names, unset it, or show it."""
    if context.call.on("unset"):
        _unset(context)
    elif context.call.arguments:
        _set(context, context.call.arguments[0])
    else:
        _show(context)


def _set(context: Context, wanted: str) -> None:
    from wharf.endpoints import normal, set_endpoint

    endpoint = normal(wanted)
    context.say(Text("Setting api endpoint to {endpoint}...", endpoint=endpoint))
    set_endpoint(context, endpoint, skip_ssl=context.call.on("skip-ssl-validation"))
    context.ok()
    _show(context)


def _unset(context: Context) -> None:
    context.say(Text("Unsetting api endpoint..."))
    context.config.forget_session()
    context.config.set(
        APIEndpoint=None,
        IAMEndpoint=None,
        ConsoleEndpoint=None,
        APIVersion=None,
        Region=None,
        RegionID=None,
        RegionType=None,
        Registry=None,
        ControlEndpoint=None,
        HelpURL=None,
        PluginMinimums=None,
        SSLDisabled=None,
    )
    context.ok()
    context.say()
    context.say(Text("No API endpoint set. Use '{command} api' to set an endpoint."))


def _show(context: Context) -> None:
    endpoint = context.session.endpoint
    version = context.config.text("APIVersion")
    if context.screen.machine:
        context.screen.json({"api_endpoint": endpoint, "api_version": version})
        return
    told = Text("{endpoint} (API version: {version})", endpoint=endpoint, version=version)
    context.pairs([(Text("API endpoint:"), told)])
    if not context.session.signed_in:
        context.say(Text("Not logged in. Use '{command} login' to log in."))
