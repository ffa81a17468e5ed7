"""From the source to texts and actions, and from an action to its tokens."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from wharf_container_registry.templates.syntax import TemplateWrong, Token

_OPEN: Final = "{{"
_CLOSE: Final = "}}"
_BLANKS: Final = " \t\r\n"
_COMMENT: Final = re.compile(r"\A(?:-[ \t\r\n]+)?/\*.*?\*/(?:[ \t\r\n]+-)?\}\}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<char>'(?:[^'\\\n]|\\.)+')
  | (?P<number>[+-]?(?:
        0[xX][0-9a-fA-F_]+
      | (?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))
  | (?P<variable>\$[^\W\d]?\w*)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<name>[^\W\d]\w*)
  | (?P<mark>:=|[|=,()])
    """,
    re.VERBOSE,
)


class Piece(NamedTuple):
    """A text (``tokens`` is None), or an action."""

    text: str
    tokens: tuple[Token, ...] | None


def scan(source: str) -> Iterator[Piece]:
    """Yield texts and actions in their order; trim markers have done their work already.

    Raises:
        TemplateWrong: an action does not end, or holds what is no word of the language.
    """
    at, trim = 0, False
    while True:
        begin = source.find(_OPEN, at)
        text = source[at:] if begin < 0 else source[at:begin]
        if trim:
            text = text.lstrip(_BLANKS)
        if begin < 0:
            yield Piece(text, None)
            return
        inside = begin + len(_OPEN)
        before = source[inside : inside + 1] == "-" and source[inside + 1 : inside + 2] in _BLANKS
        if before and source[inside + 1 : inside + 2]:
            text = text.rstrip(_BLANKS)
            first = inside + 1
        else:
            first = inside
        yield Piece(text, None)
        comment = _COMMENT.match(source[inside:])
        if comment is not None:
            at = inside + comment.end()
            trim = source[at - 3 : at - 2] == "-"
            continue
        tokens, at, trim = _action(source, first)
        yield Piece("", tuple(tokens))


def _action(source: str, at: int) -> tuple[list[Token], int, bool]:
    """Return the tokens of the action at ``at``, where it ends, and whether to trim behind."""
    tokens: list[Token] = []
    spaced = True
    while True:
        if source.startswith(_CLOSE, at):
            return tokens, at + len(_CLOSE), False
        if spaced and source.startswith("-" + _CLOSE, at):
            return tokens, at + 1 + len(_CLOSE), True
        line = source.count("\n", 0, at) + 1
        found = _TOKEN.match(source, at)
        if found is None:
            rest = source[at : at + 1]
            reason = f"unexpected {rest!r} in an action" if rest else "an action has no end"
            raise TemplateWrong(f"line {line}: {reason}")
        at = found.end()
        if found.lastgroup == "space":
            spaced = True
            continue
        tokens.append(Token(str(found.lastgroup), found.group(), spaced, line))
        spaced = False
