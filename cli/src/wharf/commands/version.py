"""``version``: which this is."""

from typing import Final

from wharf.build import stamp
from wharf.context import Context
from wharf.declaration import Command
from wharf.text import Text

COMMANDS: Final = (Command("version", Text("Print the version"), "wharf.commands.version:version"),)


def version(context: Context) -> None:
    """Print name and version."""
    context.screen.answer(f"{context.brand.command} version {stamp()}")
