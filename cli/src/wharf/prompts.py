"""Asks people: on a terminal, or from standard input, whose answers are then shown."""

import sys
from collections.abc import Sequence
from typing import Final, TextIO

from wharf.screen import Screen
from wharf.text import Text
from wharf.words import Words

_YES: Final = frozenset({"y", "yes"})
_NO: Final = frozenset({"n", "no"})


class Prompts:
    """Questions. Every one raises `InputEnded` where the input ends before its answer.

    Without a terminal the answer is read from standard input and shown, so that a log of the
    command reads like the conversation; a secret is not shown.
    """

    def __init__(self, screen: Screen, words: Words, source: TextIO | None = None) -> None:
        self._screen: Final = screen
        self._words: Final = words
        self._source: Final = source

    @property
    def on_terminal(self) -> bool:
        """Whether a person can be asked."""
        return self._input().isatty()

    def text(self, question: str) -> str:
        """Ask ``question> `` and return the answer, which may be empty."""
        return self._ask(f"{self._words(question)}> ")

    def secret(self, question: str) -> str:
        """Ask for what must not be seen."""
        shown = f"{self._words(question)}> "
        if not self.on_terminal:
            self._show(shown)
            answer = self._line()
            self._show("\n")
            return answer
        import getpass

        try:
            return getpass.getpass(shown, stream=self._screen.out)
        except EOFError as error:
            raise _ended() from error

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """Ask ``question [y/N]> ``; an empty answer is the default."""
        shown = f"{self._words(question)} [{'Y/n' if default else 'y/N'}]> "
        while True:
            answer = self._ask(shown).strip().lower()
            if not answer:
                return default
            if answer in _YES | _NO:
                return answer in _YES
            self._show(self._words(Text("Please enter 'y', 'n', 'yes' or 'no'.")) + "\n")

    def choose(self, heading: str, choices: Sequence[str], *, skip: bool = False) -> int | None:
        """Show numbered choices and return the index of the one chosen.

        With ``skip`` an empty answer chooses none.
        """
        lines = [self._words(heading)]
        lines += [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]
        self._show("\n".join(lines) + "\n")
        question = Text("Enter a number")
        while True:
            answer = self._ask(f"{self._words(question)}> ").strip()
            if not answer and skip:
                return None
            if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(choices):
                return int(answer) - 1
            again = Text("Please enter a number between 1 to {most}.", most=len(choices))
            self._show(self._words(again if answer else Text("Please enter value.")) + "\n")

    def _ask(self, shown: str) -> str:
        self._show(shown)
        answer = self._line()
        if not self.on_terminal:
            self._show(f"{answer}\n")
        return answer

    def _line(self) -> str:
        line = self._input().readline()
        if not line:
            self._show("\n")
            raise _ended()
        return line.rstrip("\r\n")

    def _show(self, text: str) -> None:
        stream = self._screen.err if self._screen.machine else self._screen.out
        stream.write(text)
        stream.flush()

    def _input(self) -> TextIO:
        return self._source or sys.stdin


def _ended() -> Exception:
    # Imported late, as all that only failures need.
    from wharf.refusals import InputEnded

    return InputEnded()
