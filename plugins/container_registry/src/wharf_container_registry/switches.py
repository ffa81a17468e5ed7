"""``cr platform-metrics``, ``private-only``, ``iam-policies-enable``, ``iam-policies-status``."""

from wharf.plugin_api import Context, Text, UsageWrong


def platform_metrics(context: Context) -> None:
    """Switch or show the account's metrics."""
    _switch(context, "/settings", "platform_metrics", Text("Platform metrics"))


def private_only(context: Context) -> None:
    """Switch or show whether images move over private networks only."""
    _switch(context, "/auth", "private_only", Text("Private connections only"))


def enable_policies(context: Context) -> None:
    """Let access policies decide."""
    context.control().call("PATCH", "/auth", body={"iam_authz": True})
    context.say(Text("IAM access policies are enabled."))
    context.say()
    context.ok()


def policies_status(context: Context) -> None:
    """Show whether access policies decide."""
    told = context.control().call("GET", "/auth")
    on = Text("IAM access policies are enabled.")
    off = Text("IAM access policies are disabled.")
    context.say(on if told["iam_authz"] else off)
    context.say()
    context.ok()


def _switch(context: Context, path: str, name: str, title: Text) -> None:
    asked = [each for each in ("enable", "disable", "status") if context.call.on(each)]
    if len(asked) != 1:
        raise UsageWrong(Text("give one of --enable, --disable and --status"))
    control = context.control()
    if asked[0] != "status":
        control.call("PATCH", path, body={name: asked[0] == "enable"})
    value = control.call("GET", path)[name]
    if context.screen.machine:
        context.screen.json({name: value})
        return
    state = Text("enabled") if value else Text("disabled")
    context.screen.pairs([(context.words(title), context.words(state))])
    context.say()
    context.ok()
