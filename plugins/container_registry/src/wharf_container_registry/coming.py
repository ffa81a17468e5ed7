"""Commands whose part of the service does not exist yet."""

from wharf.plugin_api import Context
from wharf_container_registry.refusals import NotYet


def refuse(context: Context) -> None:
    """Say so."""
    raise NotYet(name=context.command.name)
