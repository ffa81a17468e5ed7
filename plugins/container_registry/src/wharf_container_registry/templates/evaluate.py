"""From nodes and a value to a text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wharf_container_registry.templates.functions import FUNCTIONS
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
    Variable,
)
from wharf_container_registry.templates.values import (
    MISSING,
    NO_VALUE,
    Missing,
    Struct,
    Value,
    printed,
    truth,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one rendering: characters written, and actions done."""

    output: int = 16 * 1024 * 1024
    actions: int = 10_000_000


def evaluate(nodes: Sequence[Node], value: Value, limits: Limits) -> str:
    """Return what the nodes make of ``value``.

    Raises:
        TemplateWrong: the value lacks a field, a function refuses its arguments, or a limit is
            reached.
    """
    run = _Run(limits)
    run.walk(nodes, value, _Scope({"$": value}))
    return "".join(run.parts)


@dataclass(slots=True)
class _Scope:
    """Variables of a block; those of the blocks around it can be seen and set."""

    names: dict[str, Value]
    outer: "_Scope | None" = None

    def get(self, name: str) -> Value:
        return self._holder(name).names[name]

    def set(self, name: str, value: Value) -> None:
        self._holder(name).names[name] = value

    def _holder(self, name: str) -> "_Scope":
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.outer
        raise TemplateWrong(f"undefined variable {name}")


class _Break(Exception):
    """Leaves a loop."""


class _Continue(Exception):
    """Goes on with a loop's next element."""


@dataclass(slots=True)
class _Run:
    limits: Final[Limits]
    parts: list[str] = field(default_factory=list)
    written: int = 0
    done: int = 0

    def walk(self, nodes: Sequence[Node], dot: Value, scope: _Scope) -> None:
        for node in nodes:
            self.done += 1
            if self.done > self.limits.actions:
                raise TemplateWrong("the template does not come to an end")
            if isinstance(node, Text):
                self._write(node.text)
            elif isinstance(node, Print):
                self._print(node.pipeline, dot, scope)
            elif isinstance(node, Jump):
                raise _Break if node.kind == "break" else _Continue
            else:
                self._branch(node, dot, scope)

    def _write(self, text: str) -> None:
        self.written += len(text)
        if self.written > self.limits.output:
            raise TemplateWrong(f"the result has more than {self.limits.output} characters")
        self.parts.append(text)

    def _print(self, pipeline: Pipeline, dot: Value, scope: _Scope) -> None:
        value = self._value(pipeline, dot, scope)
        if not pipeline.names:
            unknown = value is None or isinstance(value, Missing)
            self._write(NO_VALUE if unknown else printed(value))

    def _branch(self, node: Branch, dot: Value, scope: _Scope) -> None:
        inner = _Scope({}, scope)
        if node.kind == "range":
            self._range(node, dot, inner)
            return
        value = self._value(node.pipeline, dot, inner)
        if truth(value):
            self.walk(node.body, value if node.kind == "with" else dot, _Scope({}, inner))
        else:
            self.walk(node.otherwise, dot, _Scope({}, inner))

    def _range(self, node: Branch, dot: Value, scope: _Scope) -> None:
        value = self._commands(node.pipeline, dot, scope)
        empty = True
        if isinstance(value, int) and len(node.pipeline.names) > 1:
            raise TemplateWrong("range over a number sets one variable")
        for key, element in _elements(value):
            empty = False
            self._assign(node.pipeline, key, element, scope)
            try:
                self.walk(node.body, element, _Scope({}, scope))
            except _Continue:
                continue
            except _Break:
                break
        if empty:
            self.walk(node.otherwise, dot, _Scope({}, scope))

    @staticmethod
    def _assign(pipeline: Pipeline, key: Value, element: Value, scope: _Scope) -> None:
        values = (element,) if len(pipeline.names) == 1 else (key, element)
        for name, value in zip(pipeline.names, values, strict=False):
            if pipeline.declares:
                scope.names[name] = value
            else:
                scope.set(name, value)

    def _value(self, pipeline: Pipeline, dot: Value, scope: _Scope) -> Value:
        value = self._commands(pipeline, dot, scope)
        for name in pipeline.names:
            if pipeline.declares:
                scope.names[name] = value
            else:
                scope.set(name, value)
        return value

    def _commands(self, pipeline: Pipeline, dot: Value, scope: _Scope) -> Value:
        first, *others = pipeline.commands
        value = self._command(first, (), dot, scope)
        for command in others:
            value = self._command(command, (value,), dot, scope)
        return value

    def _command(
        self, command: Sequence[Operand], piped: tuple[Value, ...], dot: Value, scope: _Scope
    ) -> Value:
        first, *rest = command
        if not isinstance(first, Function):
            if isinstance(first, Literal) and first.value is None:
                raise TemplateWrong("nil alone has no meaning")
            return self._operand(first, dot, scope)
        if first.name in {"and", "or"}:
            return self._short(first.name, rest, piped, dot, scope)
        arguments = [self._operand(each, dot, scope) for each in rest]
        return _called(first.name, [*arguments, *piped])

    def _short(
        self,
        name: str,
        operands: Sequence[Operand],
        piped: tuple[Value, ...],
        dot: Value,
        scope: _Scope,
    ) -> Value:
        """Evaluate only as many operands as decide (Go, text/template, and / or)."""
        value: Value = MISSING
        if not operands and not piped:
            raise TemplateWrong(f"{name} needs an argument")
        for operand in operands:
            value = self._operand(operand, dot, scope)
            if truth(value) is (name == "or"):
                return value
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Value, scope: _Scope) -> Value:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Variable):
            return scope.get(operand.name)
        if isinstance(operand, Function):
            return _called(operand.name, [])
        if isinstance(operand, Pipeline):
            return self._commands(operand, dot, scope)
        return self._chain(operand, dot, scope)

    def _chain(self, chain: Chain, dot: Value, scope: _Scope) -> Value:
        value = self._operand(chain.operand, dot, scope)
        for name in chain.fields:
            value = _field(value, name)
        return value


def _field(value: Value, name: str) -> Value:
    if isinstance(value, Struct):
        if name not in value:
            known = ", ".join(value)
            raise TemplateWrong(f"there is no field {name}; there are {known}")
        return value[name]
    if isinstance(value, Mapping):
        return value.get(name, MISSING)
    if isinstance(value, Missing):
        return MISSING
    if value is None:
        raise TemplateWrong(f"nothing has the field {name}")
    raise TemplateWrong(f"{printed(value)} has no field {name}")


def _elements(value: Value) -> Iterator[tuple[Value, Value]]:
    if value is None or isinstance(value, Missing):
        return
    if isinstance(value, Mapping) and not isinstance(value, Struct):
        yield from sorted(value.items(), key=lambda pair: str(pair[0]))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from enumerate(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ((number, number) for number in range(value))
    else:
        raise TemplateWrong(f"range cannot go over {printed(value)}")


def _called(name: str, arguments: Sequence[Value]) -> Value:
    try:
        return FUNCTIONS[name](*arguments)
    except TypeError:
        told = ", ".join(printed(each) for each in arguments)
        raise TemplateWrong(f"{name} does not take these arguments: {told}") from None
