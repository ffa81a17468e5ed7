"""From tokens to nodes."""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from wharf_container_registry.templates.functions import FUNCTIONS
from wharf_container_registry.templates.scan import Piece, scan
from wharf_container_registry.templates.syntax import (
    Branch,
    Chain,
    Dot,
    Function,
    Jump,
    Literal,
    Node,
    Operand,
    Pipeline,
    Print,
    TemplateWrong,
    Text,
    Token,
    Variable,
)
from wharf_container_registry.templates.values import Value

MAX_DEPTH: Final = 100
_BRANCHES: Final = frozenset({"if", "with", "range"})
_JUMPS: Final = frozenset({"break", "continue"})
_UNSUPPORTED: Final = frozenset({"define", "template", "block"})
_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "nil": None}


def parse(source: str) -> Sequence[Node]:
    """Return the nodes of a template.

    Raises:
        TemplateWrong: it does not follow the grammar; the text names the line.
    """
    parser = _Parser(scan(source))
    nodes, end = parser.nodes(0, [{"$"}])
    if end is not None:
        raise TemplateWrong(f"line {end[0].line}: unexpected {end[0].text}")
    return nodes


class _Parser:
    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces: Final = pieces

    def nodes(
        self, depth: int, scopes: list[set[str]], *, looping: bool = False
    ) -> tuple[list[Node], tuple[Token, ...] | None]:
        """Return nodes until ``end``, ``else`` or the end of the source, and which it was."""
        if depth > MAX_DEPTH:
            raise TemplateWrong(f"the template nests more than {MAX_DEPTH} levels")
        nodes: list[Node] = []
        for piece in self._pieces:
            if piece.tokens is None:
                if piece.text:
                    nodes.append(Text(piece.text))
                continue
            word = piece.tokens[0].text if piece.tokens else ""
            if word in {"end", "else"}:
                return nodes, piece.tokens
            nodes.append(self._node(piece.tokens, depth, scopes, looping=looping))
        return nodes, None

    def _node(
        self, tokens: tuple[Token, ...], depth: int, scopes: list[set[str]], *, looping: bool
    ) -> Node:
        if not tokens:
            raise TemplateWrong("an action is empty")
        word = tokens[0]
        if word.text in _UNSUPPORTED:
            raise TemplateWrong(f"line {word.line}: {word.text} is not supported here")
        if word.text in _JUMPS and len(tokens) == 1:
            if not looping:
                raise TemplateWrong(f"line {word.line}: {word.text} outside of range")
            return Jump(word.text)
        if word.kind == "name" and word.text in _BRANCHES:
            return self._branch(word, tokens[1:], depth, scopes, looping=looping)
        return Print(_Words(tokens, scopes).whole())

    def _branch(
        self,
        word: Token,
        condition: tuple[Token, ...],
        depth: int,
        scopes: list[set[str]],
        *,
        looping: bool,
    ) -> Branch:
        inner = [*scopes, set()]
        if not condition:
            raise TemplateWrong(f"line {word.line}: {word.text} needs a value")
        pipeline = _Words(condition, inner, ranging=word.text == "range").whole()
        loops = looping or word.text == "range"
        body, end = self.nodes(depth + 1, [*inner, set()], looping=loops)
        if end is None:
            raise TemplateWrong(f"line {word.line}: {word.text} has no end")
        otherwise: Sequence[Node] = ()
        if end[0].text == "else":
            otherwise = self._otherwise(word, end[1:], depth, inner, looping=looping)
        elif len(end) > 1:
            raise TemplateWrong(f"line {end[0].line}: unexpected {end[1].text} behind end")
        return Branch(word.text, pipeline, body, otherwise)

    def _otherwise(
        self,
        word: Token,
        behind: tuple[Token, ...],
        depth: int,
        scopes: list[set[str]],
        *,
        looping: bool,
    ) -> Sequence[Node]:
        if behind:
            if behind[0].text not in {"if", "with"} or word.text == "range":
                raise TemplateWrong(f"line {behind[0].line}: unexpected {behind[0].text}")
            return [self._branch(behind[0], behind[1:], depth + 1, scopes, looping=looping)]
        nodes, end = self.nodes(depth + 1, [*scopes, set()], looping=looping)
        if end is None or end[0].text != "end" or len(end) > 1:
            raise TemplateWrong(f"line {word.line}: {word.text} has no end")
        return nodes


class _Words:
    """The words of one action, read from the left."""

    def __init__(
        self, tokens: Sequence[Token], scopes: list[set[str]], *, ranging: bool = False
    ) -> None:
        self._tokens: Final = tokens
        self._scopes: Final = scopes
        self._ranging: Final = ranging
        self._at = 0
        self._depth = 0

    def whole(self) -> Pipeline:
        pipeline = self._pipeline(top=True)
        if self._peek() is not None:
            raise self._wrong("unexpected " + self._tokens[self._at].text)
        return pipeline

    def _peek(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _is(self, text: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token is not None and token.kind == "mark" and token.text == text

    def _wrong(self, reason: str) -> TemplateWrong:
        last = self._tokens[min(self._at, len(self._tokens) - 1)]
        return TemplateWrong(f"line {last.line}: {reason}")

    def _pipeline(self, *, top: bool = False) -> Pipeline:
        names, declares = self._names() if top else ((), False)
        commands = [self._command()]
        while self._is("|"):
            self._at += 1
            commands.append(self._command())
        for command in commands[1:]:
            if not isinstance(command[0], Function):
                raise self._wrong("only a function may stand behind |")
        if declares:
            self._scopes[-1].update(names)
        return Pipeline(tuple(commands), names, declares)

    def _names(self) -> tuple[tuple[str, ...], bool]:
        """Return the variables that the pipeline sets, and whether they are new."""
        first = self._peek()
        if first is None or first.kind != "variable":
            return (), False
        for mark in (":=", "="):
            if self._is(mark, 1):
                self._at += 2
                self._require(first.text, new=mark == ":=")
                return (first.text,), mark == ":="
        second = self._peek(2)
        if self._is(",", 1) and second is not None and second.kind == "variable":
            for mark in (":=", "="):
                if self._is(mark, 3):
                    if not self._ranging:
                        raise self._wrong("two variables at once are for range only")
                    self._at += 4
                    for name in (first.text, second.text):
                        self._require(name, new=mark == ":=")
                    return (first.text, second.text), mark == ":="
        return (), False

    def _require(self, name: str, *, new: bool) -> None:
        if not new and not any(name in scope for scope in self._scopes):
            raise self._wrong(f"undefined variable {name}")

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while (token := self._peek()) is not None and not (
            token.kind == "mark" and token.text in {"|", ")", ",", ":=", "="}
        ):
            if operands and not token.spaced and not self._is("("):
                raise self._wrong(f"a blank is missing before {token.text}")
            operands.append(self._operand())
        if not operands:
            raise self._wrong("a value is missing")
        first = operands[0]
        if len(operands) > 1 and not isinstance(first, Function):
            raise self._wrong("only a function takes arguments")
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self._tokens[self._at]
        self._at += 1
        operand: Operand
        if token.kind == "mark" and token.text == "(":
            operand = self._parenthesis()
        elif token.kind == "field":
            operand = Chain(Dot(), (token.text[1:],))
        elif token.kind == "dot":
            operand = Dot()
        elif token.kind == "variable":
            self._require(token.text, new=False)
            operand = Variable(token.text)
        elif token.kind == "name":
            operand = self._named(token)
        elif token.kind in {"string", "char", "number"}:
            operand = Literal(_constant(token))
        else:
            raise self._wrong(f"unexpected {token.text}")
        return self._fields(operand)

    def _parenthesis(self) -> Pipeline:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"more than {MAX_DEPTH} levels of parentheses")
        inner = self._pipeline()
        if not self._is(")"):
            raise self._wrong("a parenthesis is not closed")
        self._at += 1
        self._depth -= 1
        return inner

    def _fields(self, operand: Operand) -> Operand:
        fields: list[str] = []
        while (token := self._peek()) is not None and token.kind == "field" and not token.spaced:
            fields.append(token.text[1:])
            self._at += 1
        if not fields:
            return operand
        if isinstance(operand, Chain):
            return Chain(operand.operand, (*operand.fields, *fields))
        if isinstance(operand, Dot | Literal | Function):
            raise self._wrong(f"unexpected .{fields[0]}")
        return Chain(operand, tuple(fields))

    def _named(self, token: Token) -> Operand:
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        if token.text not in FUNCTIONS:
            raise TemplateWrong(f"line {token.line}: function {token.text!r} is not defined")
        return Function(token.text)


def _constant(token: Token) -> Value:
    try:
        if token.kind == "number":
            return _number(token.text)
        if token.text.startswith("`"):
            return token.text[1:-1].replace("\r", "")
        value = ast.literal_eval(token.text)
    except (ValueError, SyntaxError):
        raise TemplateWrong(f"line {token.line}: {token.text} is no constant") from None
    if token.kind == "char":
        if len(value) != 1:
            raise TemplateWrong(f"line {token.line}: {token.text} is no constant")
        return ord(value)
    return value


def _number(text: str) -> int | float:
    plain = text.replace("_", "").lower()
    if "x" in plain:
        return int(plain, 16)
    if any(mark in plain for mark in ".e"):
        return float(plain)
    if len(plain.lstrip("+-")) > 1 and plain.lstrip("+-").startswith("0"):
        return int(plain, 8)
    return int(plain)
