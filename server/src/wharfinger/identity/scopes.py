"""The scopes of a registry token request (Docker token scope documentation, distribution spec).

``repository:NAME:pull,push``, ``repository(CLASS):NAME:...`` and ``registry:catalog:*``; several
as repeated parameters or separated by spaces. NAME may hold colons (a host with its port): it
is everything between the first and the last colon.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from wharfinger.identity.model import PUSH, ScopeInvalid, ScopesTooMany
from wharfinger_common.names import NameInvalid, require_repository

EVERYTHING: Final = "*"
_TYPE: Final = re.compile(r"([a-z0-9]+)(?:\(([a-z0-9]+)\))?")
_SHOWN: Final = 200


class Scope(Struct, frozen=True):
    """One thing that a token is asked for; ``actions`` in the order of the request."""

    type: str
    name: str
    actions: tuple[str, ...]
    resource_class: str = ""

    @property
    def repository(self) -> str | None:
        """The repository name, if the scope is for one with a valid name."""
        if self.type != "repository":
            return None
        try:
            return require_repository(self.name)
        except NameInvalid:
            return None

    @property
    def catalog(self) -> bool:
        """Whether the scope asks to list the catalogue."""
        return self.type == "registry" and self.name == "catalog" and EVERYTHING in self.actions

    def granting(self, allowed: Iterable[str]) -> tuple[str, ...]:
        """Return what is granted of the scope to somebody who may do ``allowed``, sorted.

        ``*`` stands for everything that may be done; whoever may push gets it literally too,
        because some clients look for the word in the token.
        """
        may = frozenset(allowed)
        if EVERYTHING not in self.actions:
            return tuple(sorted(may.intersection(self.actions)))
        return tuple(sorted(may | {EVERYTHING} if PUSH in may else may))

    def __str__(self) -> str:
        kind = f"{self.type}({self.resource_class})" if self.resource_class else self.type
        return f"{kind}:{self.name}:{','.join(self.actions)}"


def parse(texts: Sequence[str], limit: int) -> list[Scope]:
    """Return the scopes in ``texts``, one for each thing, its actions merged, in order.

    Unknown types, names and actions are kept: they are granted nothing, as the Docker
    documentation wants, and the call they are for says what is wrong.

    Raises:
        ScopeInvalid: one has no TYPE:NAME:ACTIONS.
        ScopesTooMany: there are more than ``limit``.
    """
    words = [word for text in texts for word in text.split(" ") if word]
    if len(words) > limit:
        raise ScopesTooMany(limit=limit)
    merged: dict[tuple[str, str, str], dict[str, None]] = {}
    for word in words:
        scope = parse_one(word)
        merged.setdefault((scope.type, scope.resource_class, scope.name), {}).update(
            dict.fromkeys(scope.actions)
        )
    return [
        Scope(kind, name, tuple(actions), class_)
        for (kind, class_, name), actions in merged.items()
    ]


def parse_one(text: str) -> Scope:
    """Return the scope that ``text`` spells.

    Raises:
        ScopeInvalid: it has no TYPE:NAME:ACTIONS.
    """
    kind, _, rest = text.partition(":")
    name, _, actions = rest.rpartition(":")
    match = _TYPE.fullmatch(kind)
    if match is None or not name:
        raise ScopeInvalid(scope=text[:_SHOWN])
    asked = tuple(dict.fromkeys(action for action in actions.split(",") if action))
    return Scope(match[1], name, asked, match[2] or "")


def render(access: Mapping[Scope, Sequence[str]]) -> list[dict[str, object]]:
    """Return the ``access`` claim (Docker token specification) of what was granted."""
    return [
        {
            "type": scope.type,
            **({"class": scope.resource_class} if scope.resource_class else {}),
            "name": scope.name,
            "actions": list(actions),
        }
        for scope, actions in access.items()
        if actions
    ]
