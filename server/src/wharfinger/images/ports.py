"""What images need from outside: records, access, namespaces, bytes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wharfinger.identity.model import Caller, Role, Visibility
from wharfinger.images.model.inspection import Stored
from wharfinger.images.model.listing import Listed, Scope, Tagged
from wharfinger.namespaces.model import Namespace
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.ports import ManifestChanges

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""


class Records(Protocol):
    """One consistent view of images."""

    def page(
        self, scope: Scope, after: tuple[str, str], limit: int, tagged: Tagged, *, indexes: bool
    ) -> Sequence[Listed]:
        """Return ``limit`` manifests of a scope at most, by repository and digest.

        Those behind ``after`` (repository, digest); costs what the page costs. ``indexes`` tells
        whether those are shown too.
        """

    def find(self, place: Place, reference: str) -> Stored | None:
        """Return the manifest that a tag or digest leads to, with its bytes."""

    def children(self, place: Place, digest: str) -> Sequence[str]:
        """Return the manifests that this one lists."""


class Changes(ManifestChanges, Protocol):
    """A writing unit on images: all of it happens, or nothing."""

    def digest_of(self, repository: int, tag: str) -> str | None:
        """Return the digest that a tag leads to."""

    def config_of(self, repository: int, digest: str) -> str | None:
        """Return the config of a manifest; '' if it has none, None if there is no such manifest."""

    def share(self, place: Place) -> int | None:
        """Return the key of a repository from which nothing is removed until the unit ends."""

    def copy(self, source: int, target: int, digest: str, at: int) -> bool:
        """Let ``target`` have a manifest of ``source`` with its blobs.

        The manifests that it lists must be in ``target`` already. False if it or something that
        it is made of is missing.
        """

    def audit(self, caller: Caller, action: str, target: str, detail: Mapping[str, object]) -> None:
        """Leave the audit row of what this unit does."""


class ImageStore(Protocol):
    """Where images live. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[Records]:
        """Enter a consistent view.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def writing(self) -> AbstractContextManager[Changes]:
        """Enter a durable unit; it commits on leaving, or rolls back when an exception leaves.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
        """


class Access(Protocol):
    """What identity decides; each method may block on the database."""

    def require(
        self, caller: Caller, role: Role | Collection[Role], namespace: str | None = None
    ) -> None:
        """Let the caller pass if it has one of the roles on its account, or on its namespace.

        Raises:
            RoleMissing: it has not; foreign and unknown namespaces are refused alike.
        """

    def visible_namespaces(self, caller: Caller, roles: Collection[Role]) -> Visibility:
        """Return what the caller may list, with one of the roles.

        Raises:
            RoleMissing: nothing.
        """


class Namespaces(Protocol):
    """The namespaces of accounts; each method may block on the database."""

    def active(self, region: str, account: str) -> Sequence[Namespace]:
        """Return the account's active namespaces in the region, by name."""

    def owner(self, region: str, namespace: str) -> str | None:
        """Return who owns an active namespace, None if there is none."""
