"""``acme count``."""

from typing import Final

from wharf.plugin_api import Context, Entry, Failure, Text

NONE_FOUND: Final = Entry(
    code="ACME0001",
    status=0,
    message="No namespace begins with '{prefix}'.",
    meaning="The account has namespaces, but none with this beginning.",
    causes=("A mistyped beginning",),
    cure=("See all of them: {command} cr namespaces.",),
)


class NoneFound(Failure):
    """No namespace fits."""

    entry = NONE_FOUND
    tells_cure = True


def count(context: Context) -> None:
    """Count the namespaces whose names begin with the argument."""
    context.session.require()
    prefix = next(iter(context.call.arguments), "")
    context.say(Text("Counting namespaces of {account}...", account=context.session.account_name))
    names = [name for name in context.control().namespaces() if name.startswith(prefix)]
    if prefix and not names:
        raise NoneFound(prefix=prefix)
    if context.screen.machine:
        context.screen.json({"count": len(names)})
        return
    context.screen.pairs([("Namespaces", len(names))])
    context.ok()
