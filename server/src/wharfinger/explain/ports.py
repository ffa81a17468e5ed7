"""What the explanations need from outside."""

from collections.abc import Callable, Sequence
from typing import Protocol

from wharfinger.explain.model import Refused
from wharfinger.identity.model import Caller

Clock = Callable[[], float]
"""Returns Unix seconds."""


class RefusalStore(Protocol):
    """Where refused requests are kept; blocking."""

    def add(self, refused: Sequence[Refused], per_account: int) -> None:
        """Keep them, and of each account that acted no more than its newest ``per_account``."""

    def find(self, request_id: str) -> Refused | None:
        """Return the refused request with this id."""

    def expire(self, before: int, limit: int) -> int:
        """Forget at most ``limit`` from before that time in Unix seconds; return how many."""


class Owners(Protocol):
    """Who owns a namespace; blocking."""

    def owner(self, region: str, namespace: str) -> str | None:
        """Return the account, None where there is no such namespace."""


class Managers(Protocol):
    """Who manages an account; blocking."""

    def is_manager(self, caller: Caller) -> bool:
        """Whether the caller is a Manager of the whole account that it acts in."""
