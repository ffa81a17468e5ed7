"""How commands, their flags and plug-ins are declared; pure values, the host's and plug-ins'.

All texts here are English and a literal within ``Text(...)`` where they are written, so that they
are found for translation; the host translates them when it shows them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

API_VERSION: Final = 1
"""Raised when a plug-in of before could no longer run."""
SESSION_FORMAT: Final = 2
"""The form of what is kept of a sign-in; format 1 was that of 2018."""

Kind = Literal["switch", "text", "number", "list", "choice"]


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of a command: ``--name``, ``-name``, ``--name=VALUE``, before or after arguments.

    ``kind`` is switch (no value), text, number (an integer), list (may be repeated) or choice
    (one of ``choices``). ``short`` is another, shorter name. A hidden flag is not in the help.
    """

    name: str
    help: str = ""
    kind: Kind = "switch"
    short: str = ""
    metavar: str = "VALUE"
    choices: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command; ``run`` is ``MODULE:FUNCTION``, imported when the command is used and not before.

    The function takes a `Context` and returns nothing; what goes wrong it raises as a refusal.
    ``arguments`` is how they are shown (``NAMESPACE``, ``IMAGE [IMAGE...]``); ``least`` and
    ``most`` are how many there may be, None for any number. ``machine`` names the flags that ask
    for output which a program reads: with one of them nothing but the answer is on stdout.
    """

    name: str
    summary: str
    run: str
    arguments: str = ""
    least: int = 0
    most: int | None = 0
    flags: tuple[Flag, ...] = ()
    namespace: str = ""
    aliases: tuple[str, ...] = ()
    machine: tuple[str, ...] = ("output", "json", "format", "quiet", "q")
    hidden: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A first word that several commands stand behind, such as ``cr``."""

    name: str
    summary: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plug-in declares. Name, version and least host version are those of its wheel.

    ``sessions`` are the session formats that it can read; a host whose own is not among them
    runs none of its commands and says how to update.
    """

    namespaces: tuple[Namespace, ...]
    commands: tuple[Command, ...]
    sessions: tuple[int, ...] = (SESSION_FORMAT,)
    api: int = API_VERSION
    locale: str = ""
    """Folder of gettext catalogues in the plug-in's package, such as ``locale``; '' for none."""


def to_record(plugin: Plugin) -> dict[str, Any]:
    """Return the declaration as JSON values, for the host to keep."""
    return asdict(plugin)


def from_record(record: Mapping[str, Any]) -> Plugin:
    """Return the declaration that `to_record` made a record of.

    Raises:
        KeyError, TypeError, ValueError: it is no such record.
    """
    return Plugin(
        namespaces=tuple(namespace_from(each) for each in record["namespaces"]),
        commands=tuple(command_from(each) for each in record["commands"]),
        sessions=tuple(int(each) for each in record["sessions"]),
        api=int(record["api"]),
        locale=str(record["locale"]),
    )


def namespace_from(record: Mapping[str, Any]) -> Namespace:
    """Return one namespace of a record."""
    return Namespace(record["name"], record["summary"], tuple(record["aliases"]))


def command_from(record: Mapping[str, Any]) -> Command:
    """Return one command of a record."""
    values = {name: _value(value) for name, value in record.items() if name != "flags"}
    flags = tuple(
        Flag(**{name: _value(value) for name, value in flag.items()}) for flag in record["flags"]
    )
    return Command(flags=flags, **values)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
