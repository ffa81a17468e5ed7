"""The host's own commands: where each is, so that a start imports only the one that is used."""

from types import MappingProxyType
from typing import Final

from wharf.declaration import Command, Namespace
from wharf.text import Text

MODULES: Final = MappingProxyType(
    {
        ("", "help"): "help",
        ("", "version"): "version",
        ("plugin", "install"): "plugin",
        ("plugin", "list"): "plugin",
        ("plugin", "show"): "plugin",
        ("plugin", "uninstall"): "plugin",
        ("plugin", "update"): "plugin",
    }
)
"""Namespace and name of each command, in the order of the help, to the module that declares it."""

NAMESPACES: Final = (
    Namespace("plugin", Text("Manage plug-ins and plug-in repositories"), ("plugins",)),
)


def find(namespace: str, name: str) -> Command | None:
    """Return the host's command of this name; imports nothing but its module."""
    module = MODULES.get((namespace, name))
    if module is None:
        return None
    return next(
        each for each in declared(module) if (each.namespace, each.name) == (namespace, name)
    )


def declared(module: str) -> tuple[Command, ...]:
    """Return the commands that a module of this package declares."""
    from importlib import import_module

    commands: tuple[Command, ...] = import_module(f"wharf.commands.{module}").COMMANDS
    return commands


def everything() -> list[Command]:
    """Return all commands of the host in the order of the help; imports all of them."""
    return [command for place in MODULES if (command := find(*place)) is not None]
