"""Writes the reference of the command line from what commands declare."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from wharf import commands
from wharf.declaration import Command, Flag, Namespace
from wharf.environment import Brand
from wharf.words import CHINESE, ENGLISH, Words
from wharf_container_registry.plugin import PLUGIN as CONTAINER_REGISTRY
from wharf_container_service.plugin import PLUGIN as CONTAINER_SERVICE

PLUGINS = {"container-registry": CONTAINER_REGISTRY, "container-service": CONTAINER_SERVICE}


def page(notice: str, *, chinese: bool = False) -> str:
    """Return the page of every command, the host's first, then those of plug-ins."""
    words = Words(CHINESE if chinese else ENGLISH, Brand("ibmcloud", "IBM Cloud", "Bluemix"))
    lines = ["# 命令" if chinese else "# Commands", "", notice.rstrip()]
    lines += _sections(commands.everything(), commands.NAMESPACES, words)
    for name, plugin in PLUGINS.items():
        lines += ["", f"# {name}", "", f"`ibmcloud plugin install {name}`"]
        lines += _sections(plugin.commands, plugin.namespaces, words)
    return "\n".join(lines) + "\n"


def _sections(
    found: Iterable[Command], namespaces: Iterable[Namespace], words: Words
) -> Iterator[str]:
    told = {each.name: each for each in namespaces}
    shown = [each for each in found if not each.hidden]
    ordered = sorted(shown, key=lambda each: ["", *told].index(each.namespace))
    for namespace, group in groupby(ordered, key=lambda each: each.namespace):
        if namespace:
            yield from ("", f"## {namespace}", "", words.prose(told[namespace].summary))
        for command in group:
            yield from _command(command, words)


def _command(command: Command, words: Words) -> Iterator[str]:
    path = " ".join(part for part in ("ibmcloud", command.namespace, command.name) if part)
    usage = f"{path} {command.arguments}".rstrip()
    yield from ("", f"### {path}", "", f"`{usage}`", "", words.prose(command.summary))
    if command.aliases:
        yield from ("", ", ".join(f"`{alias}`" for alias in command.aliases))
    flags = [flag for flag in command.flags if not flag.hidden]
    if flags:
        yield from ("", "| | |", "|---|---|")
        yield from (f"| `{_spelled(flag)}` | {words.prose(flag.help)} |" for flag in flags)


def _spelled(flag: Flag) -> str:
    from wharf.help import flag_text

    return flag_text(flag).replace("|", "\\|")
