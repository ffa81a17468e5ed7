"""What people and programs read: lines, tables, colours, on the right stream."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

GAP: Final = "   "
_CODES: Final = {"red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36, "default": 38}
_COLOUR: Final = {"ok": "green", "failed": "red", "entity": "cyan", "command": "yellow"}


class Screen:
    """Where a command writes.

    In machine mode only what a program asked for goes to ``out``; progress is not written and
    failures go to ``err``. Otherwise all goes to ``out``, as in 2018. Colours need a terminal.
    """

    def __init__(
        self, out: TextIO | None = None, err: TextIO | None = None, *, colour: bool | None = None
    ) -> None:
        self.out: Final = out or sys.stdout
        self.err: Final = err or sys.stderr
        self.machine = False
        self.colour: Final = colour is not False and self._may_colour()

    @property
    def on_terminal(self) -> bool:
        """Whether somebody looks at ``out``."""
        return self.out.isatty()

    def say(self, text: str = "") -> None:
        """Write a line for people."""
        if not self.machine:
            self.out.write(f"{text}\n")

    def part(self, text: str) -> None:
        """Write for people without ending the line, and show it at once."""
        if not self.machine:
            self.out.write(text)
            self.out.flush()

    def ok(self, text: str) -> None:
        """Write the word for success."""
        self.say(self.paint(text, "ok"))

    def failed(self, word: str, text: str) -> None:
        """Write what went wrong: the word, the text, an empty line."""
        stream = self.err if self.machine else self.out
        stream.write(f"{self.paint(word, 'failed')}\n{text}\n\n")

    def warn(self, text: str) -> None:
        """Write a line that must not end among what a program reads."""
        self.err.write(f"{self.paint(text, 'warning')}\n")

    def answer(self, text: str) -> None:
        """Write a line that was asked for, whoever reads it."""
        self.out.write(f"{text}\n")

    def json(self, value: Any) -> None:
        """Write a value as JSON, for programs."""
        self.answer(json.dumps(value, indent=2, ensure_ascii=False))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write columns padded to the widest cell and three spaces, the last one too."""
        cells = [[_cell(value) for value in row] for row in rows]
        widths = [max(map(width, column)) for column in zip(headers, *cells, strict=True)]
        self.answer(self._row([self.paint(text, "header") for text in headers], headers, widths))
        for row in cells:
            painted = [self.paint(row[0], "entity"), *row[1:]]
            self.answer(self._row(painted, row, widths))

    def pairs(self, rows: Mapping[str, object] | Iterable[tuple[str, object]]) -> None:
        """Write names and values as a table without headers: a line of blanks comes first."""
        told = list(rows.items()) if isinstance(rows, Mapping) else list(rows)
        if not self.machine:
            self.table(("", ""), told)

    def paint(self, text: str, part: str) -> str:
        """Return ``text`` coloured as ok, failed, entity, command, warning or header."""
        if not self.colour or not text:
            return text
        colour = _COLOUR.get(part, "magenta" if part == "warning" else "default")
        return f"\x1b[{_CODES[colour]};1m{text}\x1b[0m"

    def _row(self, painted: Sequence[str], plain: Sequence[str], widths: Sequence[int]) -> str:
        return "".join(
            f"{shown}{' ' * (size - width(text))}{GAP}"
            for shown, text, size in zip(painted, plain, widths, strict=True)
        )

    def _may_colour(self) -> bool:
        return self.on_terminal and not os.environ.get("NO_COLOR")


def width(text: str) -> int:
    """Return the columns that ``text`` takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text
    )


def _cell(value: object) -> str:
    """Return what a cell shows: one line, without what would move the cursor."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(_visible(each) for each in text)


def _visible(character: str) -> str:
    return character if character.isprintable() else " "
