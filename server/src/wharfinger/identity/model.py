"""Who somebody is and what they may do: values and rules, without HTTP or SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

ANONYMOUS: Final = "anonymous"
"""The subject of callers without credentials; a Reader policy for it makes things public."""

PULL: Final = "pull"
PUSH: Final = "push"
DELETE: Final = "delete"


class Role(Enum):
    """An access role; ``actions`` are the registry actions that it allows on a repository."""

    READER = "Reader"
    WRITER = "Writer"
    MANAGER = "Manager"

    @property
    def actions(self) -> frozenset[str]:
        """Registry actions (Docker token scope grammar) that the role grants."""
        return _ACTIONS[self]


_ACTIONS: Final[Mapping[Role, frozenset[str]]] = {
    Role.READER: frozenset({PULL}),
    Role.WRITER: frozenset({PULL, PUSH, DELETE}),
    Role.MANAGER: frozenset({PULL, PUSH, DELETE}),
}


class TokenType(Enum):
    """The surface a token is for (claim ``typ``)."""

    IAM = "iam"
    REGISTRY = "registry"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; times in Unix seconds.

    ``access`` maps a repository name to the actions granted, for registry tokens only.
    ``epoch`` must equal the credential's epoch in the database: raising that one revokes.
    """

    typ: TokenType
    audience: str
    region: str
    account: str
    subject: str
    credential: str
    epoch: int
    issued: int
    expires: int
    access: Mapping[str, frozenset[str]] = field(default_factory=dict)
    catalog: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether the bearer presented no credentials when the token was issued."""
        return self.subject == ANONYMOUS

    def grants(self, repository: str, action: str) -> bool:
        """Whether the token itself grants ``action`` on ``repository``."""
        return action in self.access.get(repository, frozenset())


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated caller of a control or identity call, acting in one account."""

    iam_id: str
    account: str
    credential: str
    operator: bool = False
    request_id: str = ""
