"""``help``: of all, of a namespace, of a command."""

from typing import Final

from wharf.context import Context
from wharf.declaration import Command
from wharf.text import Text

COMMANDS: Final = (
    Command(
        "help",
        Text("Show help"),
        "wharf.commands.help:show",
        arguments="[COMMAND | NAMESPACE [COMMAND]]",
        most=2,
        aliases=("h",),
    ),
)


def show(context: Context) -> None:
    """Show the help of what the arguments name."""
    from wharf.dispatch import Directory
    from wharf.help import page

    directory = Directory(context.config)
    context.screen.answer(page(directory, context.words, context.call.arguments))
