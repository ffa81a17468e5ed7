"""``cr namespace-add``, ``namespace-list``, ``namespace-rm``, ``namespace-assign``."""

from wharf.plugin_api import Context, Text
from wharfinger_common.clients.transport import segment

_GROUP_HEADER = "X-Auth-Resource-Group"


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
    if context.call.on("verbose"):
        _list_details(context)
        return
    names = context.control().namespaces()
    if context.screen.machine:
        context.screen.json(names)
        return
    context.say()
    context.screen.table([context.words(Text("Namespace"))], [[name] for name in names])
    _end(context)


def _list_details(context: Context) -> None:
    details = context.control().call("GET", "/namespaces/details")
    if context.screen.machine:
        context.screen.json(details)
        return
    context.say()
    headers = (Text("Namespace"), Text("Resource Group"), Text("Created"))
    context.screen.table(
        [context.words(each) for each in headers],
        [(one["name"], one.get("resource_group", ""), one["created_date"]) for one in details],
    )
    _end(context)


def add(context: Context) -> None:
    """Add a namespace."""
    (name,) = context.call.arguments
    context.say(Text("Adding namespace '{name}'...", name=name))
    group = context.call.text("group")
    headers = {_GROUP_HEADER: group} if group else {}
    control = context.control()
    known = name in control.namespaces()
    control.call("PUT", f"/namespaces/{segment(name)}", headers=headers)
    context.say()
    if known:
        context.say(Text("The requested namespace is already owned by your account."))
    else:
        context.say(Text("Successfully added namespace '{name}'", name=name))
    _end(context)


def assign(context: Context) -> None:
    """Put a namespace into a resource group, once and for all."""
    (name,) = context.call.arguments
    group = context.call.text("group")
    context.say(
        Text("Assigning namespace '{name}' to resource group '{group}'...", name=name, group=group)
    )
    headers = {_GROUP_HEADER: group}
    context.control().call("PATCH", f"/namespaces/{segment(name)}", headers=headers)
    context.say()
    context.say(Text("Successfully assigned namespace '{name}'", name=name))
    _end(context)


def remove(context: Context) -> None:
    """Remove a namespace with all that is in it."""
    (name,) = context.call.arguments
    context.session.require()
    question = Text(
        "Are you sure you want to remove namespace '{name}' and all images in it?", name=name
    )
    if not context.call.on("force") and not context.prompts.confirm(question):
        return
    context.say(Text("Removing namespace '{name}'...", name=name))
    context.control().call("DELETE", f"/namespaces/{segment(name)}")
    context.say()
    context.say(Text("Successfully removed namespace '{name}'.", name=name))
    _end(context)


def _end(context: Context) -> None:
    context.say()
    context.ok()
