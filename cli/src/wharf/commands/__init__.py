"""The host's own commands: where each is, so that a start imports only the one that is used."""

from types import MappingProxyType
from typing import Final

from wharf.declaration import Command, Namespace
from wharf.text import Text

ACCESS: Final = (
    "users",
    "user-add",
    "user-remove",
    "user-policies",
    "user-policy-create",
    "user-policy-delete",
    "service-ids",
    "service-id-create",
    "service-id-delete",
    "service-api-key-create",
    "service-policies",
    "service-policy-create",
    "service-policy-delete",
)
MODULES: Final = MappingProxyType(
    {
        ("", "help"): "help",
        ("", "version"): "version",
        ("", "api"): "api",
        ("", "login"): "login",
        ("", "logout"): "login",
        ("", "target"): "target",
        ("", "regions"): "target",
        ("", "config"): "config",
        ("", "explain"): "explain",
        ("", "doctor"): "doctor",
        ("", "completion"): "completion",
        ("", "complete"): "completion",
        ("support", "bundle"): "support",
        ("iam", "oauth-tokens"): "iam",
        ("iam", "api-keys"): "iam",
        ("iam", "api-key-create"): "iam",
        ("iam", "api-key-delete"): "iam",
        **{("iam", name): "access" for name in ACCESS},
        ("plugin", "install"): "plugin",
        ("plugin", "list"): "plugin",
        ("plugin", "show"): "plugin",
        ("plugin", "uninstall"): "plugin",
        ("plugin", "update"): "plugin",
        ("plugin", "repos"): "plugin_repos",
        ("plugin", "repo-add"): "plugin_repos",
        ("plugin", "repo-remove"): "plugin_repos",
        ("plugin", "repo-plugins"): "plugin_repos",
        ("plugin", "repo-plugin"): "plugin_repos",
    }
)
"""Namespace and name of each command, in the order of the help, to the module that declares it."""

NAMESPACES: Final = (
    Namespace("iam", Text("Manage API keys, users and who may do what")),
    Namespace("plugin", Text("Manage plug-ins and plug-in repositories"), ("plugins",)),
    Namespace("support", Text("Get help from people")),
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
