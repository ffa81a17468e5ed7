"""What namespaces need from outside: records, access decisions, and the rooms that empty them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wharfinger.identity.model import Caller, Role, Visibility
from wharfinger.namespaces.model import Namespace

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""


class Records(Protocol):
    """One consistent view of the namespaces. Each method is one statement."""

    def find(self, region: str, name: str) -> Namespace | None:
        """Return the namespace of this name in the region, whoever owns it, in any state."""

    def active_of(self, region: str, account: str) -> Sequence[Namespace]:
        """Return the account's active namespaces in the region, by name."""

    def count(self, region: str, account: str) -> int:
        """Return how many names the account holds in the region, with those being emptied."""


class Changes(Records, Protocol):
    """A writing unit: all of it happens, or nothing."""

    def lock_account(self, account: str) -> None:
        """Let no other unit that locked the account run until this one ends."""

    def add(self, namespace: Namespace) -> bool:
        """Add the namespace; False if the region has the name already."""

    def assign(self, namespace: Namespace, resource_group: str, at: int) -> bool:
        """Put an active namespace into a resource group; False if it is in one."""

    def start_deletion(self, namespace: Namespace, requested_by: str, at: int) -> bool:
        """Mark the namespace as deleted and ask for the job that empties it; False if it is gone.

        The job's subject is the region and the name, its payload names both, the account, the
        namespace's id and who asked.
        """

    def keep(self, namespace: Namespace) -> bool:
        """Turn a deleted namespace, which is empty, into a name that is kept; False if it is gone.

        It was changed last (``updated_at``) at this moment.
        """

    def forget(self, namespace: Namespace) -> None:
        """Remove a name that is kept, so that it can be added."""

    def forget_kept(self, before: int) -> None:
        """Remove all names that are kept since a moment before this one."""

    def audit(
        self, caller: Caller, action: str, namespace: Namespace, detail: Mapping[str, object]
    ) -> None:
        """Leave the audit row of what this unit does."""


class Store(Protocol):
    """Where namespaces live. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[Records]:
        """Enter a consistent view.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def looking(self) -> AbstractContextManager[Records]:
        """Enter a view for one question, at less cost than `reading`; raises as it."""

    def writing(self) -> AbstractContextManager[Changes]:
        """Enter a writing unit; it commits on leaving, or rolls back when an exception leaves.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
        """


class Access(Protocol):
    """What identity decides; each method may block on the database."""

    def require(self, caller: Caller, role: Role, namespace: str | None = None) -> None:
        """Let the caller pass if it has the role on its account, or on its active namespace.

        Raises:
            RoleMissing: it has not; foreign and unknown namespaces are refused alike.
        """

    def visible_namespaces(self, caller: Caller) -> Visibility:
        """Return what the caller may list.

        Raises:
            RoleMissing: nothing.
        """


class Policies(Protocol):
    """What identity does when a namespace ends."""

    def namespace_deleted(self, account: str, region: str, namespace: str) -> None:
        """Remove the access policies that name it; may be called any number of times."""


class DeletionStep(Protocol):
    """Empties deleted namespaces of one kind of thing; each room registers its own.

    A worker that was held up may call when the namespace is long gone and a new one has its
    name. So each transaction of a step must see for itself that the namespace is still being
    deleted (``wharfinger.namespaces.store.is_deleting``) before it removes anything.
    """

    name: str

    def run(self, region: str, namespace: str) -> bool:
        """Remove a batch that takes a few seconds at most; return True when nothing is left.

        May be called again at any time, also after it died half way.
        """

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many things are left, for the answer to who asks for the name meanwhile."""
