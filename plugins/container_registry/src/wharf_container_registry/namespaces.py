"""``cr namespace-list``."""

from wharf.plugin_api import Context, Text


def list_all(context: Context) -> None:
    """List the namespaces of the account."""
    context.session.require()
    context.say(
        Text(
            "Listing namespaces for account '{account}' in registry '{registry}'...",
            account=context.session.account_name,
            registry=context.registry,
        )
    )
    context.say()
    names = context.control().namespaces()
    if context.screen.machine:
        context.screen.json(names)
        return
    context.screen.table(["Namespace"], [[name] for name in names])
    context.say()
    context.ok()
