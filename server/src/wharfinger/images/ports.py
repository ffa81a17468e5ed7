"""What images need from outside: records, access, namespaces, bytes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wharfinger.identity.model import Caller, Role, Visibility
from wharfinger.images.model.inspection import Stored
from wharfinger.images.model.listing import Listed, Scope, Tagged
from wharfinger.images.model.options import ImageCounts, Options
from wharfinger.images.model.retention import Candidate, Policy
from wharfinger.images.model.trash import GonePart, Trashed, TrashedManifest
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

    def referrers(self, place: Place, digest: str, limit: int) -> Sequence[str]:
        """Return ``limit`` manifests at most whose subject is this one, by digest."""

    def tags_among(self, place: Place, names: Collection[str]) -> Mapping[str, str]:
        """Return those of the tags that the repository has, with the digests they lead to."""

    def repository_behind(self, region: str, namespace: str, after: str) -> str | None:
        """Return the name of the next repository of a namespace, None behind the last."""

    def candidates(self, place: Place) -> Sequence[Candidate]:
        """Return the dated images of a repository that no index there lists."""

    def push_begun(self, place: Place, since: int) -> int | None:
        """Return when the oldest upload began that received something since, None for none."""

    def trashed(
        self,
        region: str,
        namespaces: Collection[str],
        after: tuple[str, str],
        limit: int,
        since: int,
    ) -> Sequence[Trashed]:
        """Return ``limit`` images of the trash at most, by repository and digest.

        Of those namespaces, behind ``after``, deleted after ``since`` (Unix seconds).
        """


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

    def take_from_trash(self, place: Place, reference: str, since: int) -> Trashed | None:
        """Return an image in the trash, held until the unit ends; None if there is none.

        By digest, or the one last deleted that had a tag; deleted after ``since``.
        """

    def listed_in_trash(self, entry: Trashed) -> Sequence[str]:
        """Return the manifests that an image in the trash lists."""

    def blobs_in_trash(self, entries: Collection[Trashed]) -> Mapping[str, int]:
        """Return the blobs that these images need, with their sizes in bytes."""

    def tags_among(self, repository: int, names: Collection[str]) -> Mapping[str, str]:
        """Return those of the tags that are there, with the digests that they lead to."""

    def add_back(self, entry: Trashed, repository: int, at: int) -> None:
        """Let the repository have the manifest of an entry again; its blobs are not shown yet."""

    def take_out(self, entry: Trashed, names: Collection[str] | None) -> None:
        """Remove tags from an entry, and the entry if it has no other; None stands for all."""

    def show(self, repository: int, sizes: Mapping[str, int], at: int) -> None:
        """Show blobs in the repository, if the quota has room: the last that a unit does."""

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


class Policies(Protocol):
    """The retention policies of namespaces. Each call is one transaction."""

    def find(self, region: str, namespace: str) -> Policy | None:
        """Return the policy of an active namespace, None if it has none."""

    def of_account(self, region: str, account: str) -> Mapping[str, Policy]:
        """Return the policies of the account's namespaces, by namespace."""

    def set(self, caller: Caller, policy: Policy) -> None:
        """Set a policy, ask for it to be run, and leave an audit row.

        Raises:
            NamespaceUnknown: the namespace is not (or no longer) an active one of the account.
        """

    def end(self, region: str, namespace: str) -> None:
        """Remove the policy of a namespace that is being deleted."""


class AccountSettings(Protocol):
    """What accounts decide in a region. Each call is one transaction."""

    def get(self, region: str, account: str) -> Options:
        """Return what the account decided."""

    def change(self, caller: Caller, changed: Mapping[str, bool]) -> None:
        """Change some of the caller's account's options, by name, and leave an audit row."""

    def counts(self, region: str, account: str) -> ImageCounts:
        """Count what the account has; costs as much as there is."""

    def private_namespaces(self) -> Collection[tuple[str, str]]:
        """Return region and name of all namespaces whose account is private only."""


class TrashUpkeep(Protocol):
    """What removes images from the trash for good. Each call is one transaction."""

    def expire(self, before: int, limit: int) -> int:
        """Remove at most ``limit`` images that were deleted by ``before``; return how many went."""

    def sizes(self, region: str, account: str) -> Sequence[tuple[int, int]]:
        """Return (key, bytes) of each image of the account, the last deleted first.

        The bytes are those of blobs that none deleted later has.
        """

    def remove(self, region: str, account: str, up_to: int, limit: int) -> int:
        """Remove at most ``limit`` images up to the key; return how many went."""

    def empty(self, region: str, namespace: str, limit: int) -> int:
        """Remove at most ``limit`` images of a namespace that is being deleted.

        Returns how many went; 0 when nothing is left, or the namespace is not being deleted.
        """

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many images the namespace has in the trash."""


class TrashChecks(Protocol):
    """The trash, for checking it. Each call is one transaction."""

    def manifests(self, after: int, limit: int) -> Sequence[TrashedManifest]:
        """Return the next manifests in the trash, by key."""

    def gone(self, after: tuple[int, str], limit: int) -> Sequence[GonePart]:
        """Return the next parts of images there that are nowhere, by entry and digest.

        A blob that the service does not have whole; a listed manifest that is neither in the
        repository nor in the trash.
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

    def require_anywhere(self, caller: Caller, role: Role | Collection[Role]) -> None:
        """Let the caller pass if it has one of the roles on anything of its account.

        Raises:
            RoleMissing: it has not.
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
