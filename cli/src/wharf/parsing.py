"""Reads the words behind a command: flags with one dash or two, ``=`` or a space, anywhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wharf.declaration import Command, Flag
from wharf.text import Text

_TRUE: Final = frozenset({"true", "t", "1", "yes"})
_FALSE: Final = frozenset({"false", "f", "0", "no"})
HELP: Final = Flag("help", Text("Show help"), short="h")

Value = bool | str | int | list[str]


class UsageWrong(Exception):
    """The words do not fit the command; the text, translatable, says why, '' for "somehow"."""

    def __init__(self, reason: Text | None = None) -> None:
        self.reason: Final = reason
        super().__init__(reason or "")


class Call:
    """The arguments and flags that a command was called with."""

    def __init__(self, arguments: Sequence[str], values: dict[str, Value]) -> None:
        self.arguments: Final = tuple(arguments)
        self._values: Final = values

    def given(self, name: str) -> bool:
        """Tell whether the flag was given at all."""
        return name in self._values

    def on(self, name: str) -> bool:
        """Tell whether a switch was given, and not as ``--name=false``."""
        return self._values.get(name) is True

    def text(self, name: str, default: str = "") -> str:
        """Return the value of a flag of kind text or choice."""
        value = self._values.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str) -> int | None:
        """Return the value of a flag of kind number, None without it."""
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def many(self, name: str) -> list[str]:
        """Return all values of a flag of kind list."""
        value = self._values.get(name)
        return value if isinstance(value, list) else []


def parse(words: Iterable[str], command: Command) -> Call:
    """Return the call that ``words`` make of ``command``; ``--`` ends the flags.

    Raises:
        UsageWrong: a flag is unknown, lacks its value or has a bad one; too few or too many
            arguments. Help is asked for where the call has ``help`` on; then nothing is missing.
    """
    known = {name: flag for flag in (*command.flags, HELP) for name in _names(flag)}
    arguments: list[str] = []
    values: dict[str, Value] = {}
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            arguments += waiting
        elif word.startswith("-") and word != "-":
            _take_flag(word, waiting, known, values)
        else:
            arguments.append(word)
    call = Call(arguments, values)
    enough = command.least <= len(arguments)
    if not call.on("help") and not (enough and len(arguments) <= _most(command, arguments)):
        raise UsageWrong
    return call


def _names(flag: Flag) -> tuple[str, ...]:
    return (flag.name, flag.short) if flag.short else (flag.name,)


def _most(command: Command, arguments: Sequence[str]) -> int:
    return len(arguments) if command.most is None else command.most


def _take_flag(
    word: str, waiting: Iterator[str], known: dict[str, Flag], values: dict[str, Value]
) -> None:
    name, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
    flag = known.get(name)
    if flag is None:
        raise UsageWrong(Text("flag provided but not defined: -{name}", name=name))
    if flag.kind == "switch":
        values[flag.name] = _switch(name, text) if equals else True
        return
    if not equals:
        following = next(waiting, None)
        if following is None:
            raise UsageWrong(Text("flag needs an argument: -{name}", name=name))
        text = following
    _set(flag, name, text, values)


def _set(flag: Flag, name: str, text: str, values: dict[str, Value]) -> None:
    if flag.kind == "number":
        values[flag.name] = _number(name, text)
    elif flag.kind == "list":
        values[flag.name] = [*_strings(values.get(flag.name)), text]
    elif flag.kind == "choice" and text not in flag.choices:
        allowed = ", ".join(flag.choices)
        raise UsageWrong(
            Text(
                "invalid value '{value}' for flag -{name}: it is one of {allowed}",
                value=text,
                name=name,
                allowed=allowed,
            )
        )
    else:
        values[flag.name] = text


def _strings(value: Value | None) -> list[str]:
    return value if isinstance(value, list) else []


def _switch(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise UsageWrong(
        Text("invalid boolean value '{value}' for flag -{name}", value=text, name=name)
    )


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        reason = Text(
            "invalid value '{value}' for flag -{name}: not a number", value=text, name=name
        )
        raise UsageWrong(reason) from error
