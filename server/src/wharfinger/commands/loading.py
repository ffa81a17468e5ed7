"""Commands that are loaded where they are asked for: serving starts without the others."""

from importlib import import_module
from typing import Final

import click

_MODULES: Final = {
    # Not from `tenants`: quotas add a command to it.
    "account": "quotas",
    "apikey": "tenants",
    "doctor": "doctor",
    "explain": "explaining",
    "fsck": "checking",
    "gc": "upkeep",
    "jobs": "upkeep",
    "namespace": "tenants",
    "plan": "quotas",
    "usage": "quotas",
    "user": "tenants",
}
"""The module beside this one in which a command stands, under its own name."""


class LoadingGroup(click.Group):
    """A group that has, besides its own commands, those of `_MODULES`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return sorted({*super().list_commands(ctx), *_MODULES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded now; None where there is none of that name."""
        if cmd_name not in _MODULES:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"wharfinger.commands.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command
