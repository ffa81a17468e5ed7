"""What the registry needs from outside: records, namespaces, time and ids."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from wharfinger.identity.model import Claims, Visibility
from wharfinger.namespaces.model import Owner
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.configs import ConfigFacts
from wharfinger.registry.model.manifests import NewManifest, StoredManifest
from wharfinger.registry.model.paging import Page
from wharfinger.registry.model.referrers import ReferrersPage
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher, Upload
from wharfinger_common.digests import Digest

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""

# --- Uploads and blobs ---------------------------------------------------------------------


class Namespaces(Protocol):
    """Who owns a namespace; wired from the room of namespaces."""

    def require(self, region: str, name: str, /) -> Owner:
        """Return the owner of an active namespace.

        Raises:
            NamespaceUnknown: there is none; its text tells how to add one.
        """


class UploadRecords(Protocol):
    """The rows of upload sessions, and the one way for a blob to become visible.

    Each method is one transaction. A session is found only by the pusher that opened it; every
    holder gets a new ``fence``, and a method that takes an `Upload` acts only while its fence is
    the newest. Times are Unix seconds.
    """

    def find(self, pusher: Pusher, upload: str) -> Upload | None:
        """Return the session; None if the pusher has none in the repository that has its row.

        Raises:
            UploadUnknown: there was one, and it has ended.
        """

    def acquire(
        self, pusher: Pusher, upload: str, now: float, until: float, opening: Upload | None = None
    ) -> Upload:
        """Return the session, held by the caller until ``until`` under a new fence.

        Without a row it gets one, as ``opening`` says. Lost in a power failure: the client opens
        another session.

        Raises:
            UploadUnknown: the pusher has no such session in the repository.
            UploadBusy: somebody else holds it.
        """

    def progress(self, upload: Upload, now: float, until: float, *, overtake: bool = False) -> None:
        """Acknowledge ``upload.size`` bytes, whose ``upload.state`` the blob store gave.

        Hold the session until ``until``; 0 lets it go. ``overtake`` is for who wrote without
        having acquired it: whoever had, and is thought dead, does not hold it any more. One that
        is ``opening`` gets its row.

        Raises:
            UploadLost: somebody else holds the session, or it has ended.
        """

    def remove(self, upload: Upload) -> bool:
        """End the session; False if somebody else holds it or it has ended."""

    def expired(self, before: float, limit: int) -> Sequence[Upload]:
        """Return sessions that were last written before ``before``, ``limit`` at most."""

    def existing(self, uploads: Collection[str]) -> Collection[str]:
        """Return those of the ids that have a session with a row."""

    def forget_ended(self, before: float, limit: int) -> int:
        """Forget which sessions have ended that were opened before ``before``; return how many."""

    def stored(self, digest: Digest) -> Blob | None:
        """Return the verified blob, whichever repositories show it."""

    def link(
        self, pusher: Pusher, account: str, blob: Blob, now: float, end: Upload | None
    ) -> None:
        """Make the blob visible in the repository, and end its session, durably and at once.

        Adds the repository and the blob's row where they are missing.

        Raises:
            UploadLost: the session ``end`` is held by somebody else, or has ended.
            NamespaceUnknown: the namespace was removed meanwhile.
        """

    def link_stored(
        self, pusher: Pusher, account: str, digest: str, now: float, end: Upload | None
    ) -> bool:
        """Do as ``link`` with a blob that has its row already; False if it has none any more."""


class BlobRecords(Protocol):
    """Which blobs a repository shows. Each method is one transaction."""

    def find(self, region: str, repository: str, digest: str) -> Blob | None:
        """Return the blob if the repository shows it, and whose it is."""

    def hold(self, region: str, repository: str, digest: str, young: int, now: int) -> Blob | None:
        """Do as `find` for somebody who means to use the blob.

        One that no manifest needs and that was linked no later than ``young`` gets its grace
        before collection anew, durably (Unix seconds).
        """

    def showing(
        self, region: str, repositories: Collection[str], digest: str
    ) -> Sequence[tuple[str, Blob]]:
        """Return those of the repositories that show the blob, by name."""

    def repositories_of(self, region: str, account: str, digest: str, limit: int) -> Sequence[str]:
        """Return the account's repositories that show the blob, by name, ``limit`` at most."""

    def fence(self, blob: Blob, what: str, now: int) -> bool:
        """Let the blob count as missing until it is pushed again, durably (Unix seconds).

        ``what`` is wrong with it: ``missing``, ``size`` or ``digest``. Return False if it has
        other bytes by now, or is gone.
        """

    def seal(self, blob: Blob, seal: str) -> None:
        """Take note that bytes which bear this seal are the blob's, where it still has them."""

    def unlink(self, region: str, repository: str, digest: str) -> None:
        """Take the blob out of the repository, durably.

        Raises:
            BlobUnknown: the repository does not show it.
            BlobReferenced: a manifest of the repository needs it.
        """


# --- Manifests, tags, referrers ------------------------------------------------------------


class Undescribed(NamedTuple):
    """A manifest whose config nobody has read: its key, and where the config's bytes lie."""

    key: int
    config: str
    size: int
    location: str


class ConfigRecords(Protocol):
    """Which configs' facts are written down. Each method is one transaction."""

    def undescribed(self, digest: str) -> str | None:
        """Return where the bytes of a config lie whose facts are missing.

        '' if they are there, None if there is no such blob.
        """

    def without_facts(self, after: int, limit: int) -> Sequence[Undescribed]:
        """Return manifests of a key above ``after`` whose config's facts are missing, by key."""

    def add(self, config: str, facts: ConfigFacts) -> None:
        """Write down a config's facts, unless they are there or the config has gone."""


class ManifestRecords(Protocol):
    """Manifests and tags of repositories, in one consistent view."""

    def exists(self, place: Place) -> bool:
        """Whether there is a repository of this name."""

    def find(
        self, place: Place, reference: Digest | str, *, content: bool
    ) -> StoredManifest | None:
        """Return the manifest of a digest or tag; its bytes only where ``content`` is asked for."""


class ManifestChanges(Protocol):
    """A writing unit on manifests: all of it happens, or nothing.

    ``repository`` is the key that `open` or `lock` gave. What a unit was told to be there stays
    there until it ends, also where the database lets several units run at once.
    """

    def open(self, place: Place, account: str, at: int) -> int:
        """Return the key of the repository, added if there is none.

        Raises:
            NamespaceUnknown: the namespace is not (or no longer) an active one of the account.
        """

    def lock(self, place: Place) -> int | None:
        """Return the key of the repository, None if there is none; other units wait for it."""

    def blob_sizes(self, repository: int, digests: Collection[str]) -> Mapping[str, int]:
        """Return the sizes in bytes of those blobs that the repository shows."""

    def manifest_sizes(self, repository: int, digests: Collection[str]) -> Mapping[str, int]:
        """Return the sizes in bytes of those manifests that the repository has."""

    def add(self, repository: int, manifest: NewManifest, at: int) -> str:
        """Add the manifest unless it is there; return the media type that it is stored under.

        One that is there and known to be damaged is replaced.
        """

    def describe(self, config: str, facts: ConfigFacts) -> None:
        """Write down the facts of a config that the repository shows, unless they are there."""

    def move_tags(self, repository: int, tags: Collection[str], digest: str, at: int) -> None:
        """Let the tags, new or not, lead to the manifest."""

    def remove_tag(self, repository: int, tag: str) -> bool:
        """Remove a tag; False if there is none."""

    def parent(self, repository: int, digest: str) -> str | None:
        """Return the digest of a manifest that lists this one, None if none does."""

    def remove(self, repository: int, digest: str) -> bool:
        """Remove the manifest, its tags, and the blobs that no other one here needs.

        False if there is no such manifest.
        """


class ManifestStore(Protocol):
    """Where manifests live. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[ManifestRecords]:
        """Enter a consistent view."""

    def writing(self) -> AbstractContextManager[ManifestChanges]:
        """Enter a durable unit; it commits on leaving, or rolls back when an exception leaves."""


class TagLists(Protocol):
    """The tags of repositories, from an index. Each call is one transaction."""

    def tags(self, place: Place, page: Page) -> Sequence[str] | None:
        """Return a page of tags in the order of their bytes; None if there is no repository."""


class ReferrerLists(Protocol):
    """The referrers of manifests. Each call is one transaction."""

    def referrers(
        self, place: Place, subject: str, artifact_type: str, page: Page, size: int
    ) -> ReferrersPage:
        """Return a page by digest, of one artifact type unless that is ''.

        It holds as many as fit into about ``size`` bytes, and one in any case that there is one.
        """


class Catalog(Protocol):
    """Which repositories there are. Each call is one transaction."""

    def repositories(self, region: str, visibility: Visibility, page: Page) -> Sequence[str]:
        """Return a page of the names of visible repositories, in the order of their bytes.

        Costs what the page costs, whatever others have.
        """


class NamespaceContents(Protocol):
    """What is in a namespace, for its deletion. Each call is one transaction."""

    def delete_batch(self, region: str, namespace: str, limit: int) -> int:
        """Delete at most ``limit`` rows of what is in a namespace that is being deleted.

        Returns how many went; 0 when nothing is left, or the namespace is not being deleted.
        """

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many repositories the namespace has."""


class VisibleNamespaces(Protocol):
    """What the bearer of a token may see; identity's access policies answer."""

    def visible_to(self, claims: Claims, /) -> Visibility:
        """Return what the bearer may pull; may block on the database."""


class NamespaceUploads(Protocol):
    """Ends the upload sessions of a namespace that is being deleted."""

    def discard(self, region: str, namespace: str, limit: int, /) -> int:
        """End at most ``limit`` sessions and drop their bytes; return how many there were."""
