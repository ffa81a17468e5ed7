"""What clusters need from outside: where they are kept, and what identity decides."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wharfinger.clusters.model import Cluster
from wharfinger.identity.model import Caller, Role

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""


class Records(Protocol):
    """One consistent view of the registered clusters. Each method is one statement."""

    def find(self, account: str, name: str) -> Cluster | None:
        """Return the account's cluster of this name, with its workers."""

    def all_of(self, account: str) -> Sequence[Cluster]:
        """Return the account's clusters by name, without their workers."""

    def count(self, account: str) -> int:
        """Return how many clusters the account has registered."""


class Changes(Records, Protocol):
    """A writing unit: all of it happens, or nothing."""

    def lock_account(self, account: str) -> None:
        """Let no other unit that locked the account run until this one ends."""

    def put(self, cluster: Cluster) -> None:
        """Keep the cluster, in the place of what the account has under its name."""

    def remove(self, account: str, name: str) -> bool:
        """Forget the cluster; False if the account has none of this name."""

    def audit(self, caller: Caller, action: str, name: str, detail: Mapping[str, object]) -> None:
        """Leave the audit row of what this unit does."""


class Store(Protocol):
    """Where clusters are kept. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[Records]:
        """Enter a consistent view.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def writing(self) -> AbstractContextManager[Changes]:
        """Enter a writing unit; it commits on leaving, or rolls back when an exception leaves.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
        """


class Access(Protocol):
    """What identity decides; each method may block on the database."""

    def require(self, caller: Caller, role: Role | Collection[Role]) -> None:
        """Let the caller pass if it has one of the roles, or Manager, on its account.

        Raises:
            RoleMissing: it has not.
        """

    def require_anywhere(self, caller: Caller, role: Role | Collection[Role]) -> None:
        """Let the caller pass if it has one of the roles, or Manager, on anything of its account.

        Raises:
            RoleMissing: it has not.
        """
