"""What a template consists of: tokens, nodes, and what is wrong with one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wharf_container_registry.templates.values import Value


class TemplateWrong(ValueError):
    """The template cannot be parsed or rendered; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an action; ``spaced`` tells whether blanks stand before it."""

    kind: str
    text: str
    spaced: bool
    line: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Value


@dataclass(frozen=True, slots=True)
class Dot:
    """The value at hand."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, by its name with the dollar sign; ``$`` is the value the template began with."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of an operand, one after the other."""

    operand: "Operand"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands of which each gets the result of the one before as its last argument.

    ``names`` are the variables that get the result; ``declares`` whether they are new.
    """

    commands: tuple[tuple["Operand", ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = False


Operand = Literal | Dot | Variable | Function | Chain | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """An action that prints its value, or only sets a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``, with what is done otherwise."""

    kind: str
    pipeline: Pipeline
    body: Sequence["Node"]
    otherwise: Sequence["Node"] = field(default=())


Node = Text | Print | Jump | Branch
