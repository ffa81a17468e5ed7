"""``cr trash-list`` and ``image-restore``."""

from wharf.plugin_api import Context, Text
from wharf_container_registry.names import read_name
from wharfinger_common.clients.errors import InConflict
from wharfinger_common.clients.transport import segment


def list_all(context: Context) -> None:
    """List deleted images that can be restored."""
    context.say(Text("Listing the contents of the trash..."))
    restrict = context.call.text("restrict")
    query = {"namespace": restrict} if restrict else None
    told = context.control().call("GET", "/trash", query=query)
    if context.screen.machine:
        context.screen.json(told)
        return
    context.say()
    headers = (Text("Digest"), Text("Days until expiry"), Text("Tags"))
    context.screen.table(
        [context.words(each) for each in headers],
        [
            (name, one["daysUntilExpiry"], ", ".join(one["tags"]))
            for name, one in sorted(told.items())
        ],
    )
    _end(context)


def restore(context: Context) -> None:
    """Restore an image: by digest with all its tags, by tag with that one."""
    (text,) = context.call.arguments
    name = read_name(context, text)
    context.say(Text("Restoring image '{image}'...", image=str(name)))
    control = context.control()
    if name.digest:
        told = control.call("POST", f"/trash/{segment(str(name))}/restoretags")
        for tag in told.get("unsuccessful", ()):
            context.say(
                Text("The tag '{tag}' leads to another image already and stays there.", tag=tag)
            )
    else:
        try:
            control.call("POST", f"/trash/{segment(str(name))}/restore")
        except InConflict as conflict:
            raise conflict.with_code() from conflict
    context.say()
    context.say(Text("Successfully restored image '{image}'.", image=str(name)))
    _end(context)


def _end(context: Context) -> None:
    context.say()
    context.ok()
