"""What checking needs: the records both ways, and repairs that are safe beside everything else."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from wharfinger.registry.model.checking import BlobRow, Checked, ManifestRow, StrayRow, TagRow
from wharfinger.registry.model.descriptors import Kind


class BlobChecks(Protocol):
    """Blobs as the database knows them. Each method is one transaction."""

    def blobs(self, after: str, limit: int) -> Sequence[BlobRow]:
        """Return the next blobs by location, behind the location ``after``."""

    def blob(self, digest: str) -> BlobRow | None:
        """Return one blob as it is now."""

    def shown_in(self, digest: str, limit: int) -> Sequence[str]:
        """Return names of repositories that show the blob, ``limit`` at most."""

    def fence(self, row: BlobRow, now: int) -> bool:
        """Let the blob count as missing; False if it has other bytes by now."""

    def release(self, row: BlobRow) -> bool:
        """Let the blob be served again; False if it has other bytes by now."""

    def seal(self, row: BlobRow, seal: str) -> None:
        """Take note that bytes which bear this seal are the blob's, where it still has them."""


class ManifestChecks(Protocol):
    """Manifests, tags and references. Each method is one transaction.

    Repairs look once more whether what they repair still is so; False says that it is not.
    """

    def manifests(self, after: int, limit: int) -> Sequence[ManifestRow]:
        """Return the next manifests by their key."""

    def manifest(self, key: int) -> ManifestRow | None:
        """Return one manifest as it is now."""

    def absent(self, repository: int, needs: Mapping[str, Kind]) -> Collection[str]:
        """Return those digests of blobs and manifests that the repository does not have."""

    def copies(self, digest: str, limit: int) -> Sequence[bytes]:
        """Return what repositories have under this digest and is not known to be damaged."""

    def fence_manifest(self, row: ManifestRow, now: int) -> bool:
        """Let the manifest count as missing."""

    def restore(self, row: ManifestRow, content: bytes) -> bool:
        """Put verified content in the place of the row's, and serve it again."""

    def rewrite(self, row: ManifestRow, needs: Mapping[str, Kind]) -> bool:
        """Write down anew what the manifest needs."""

    def relink(self, row: ManifestRow, child: str, now: int) -> bool:
        """Show a blob of the manifest in its repository again, if the service has it whole."""

    def adopt(self, row: ManifestRow, child: str, now: int) -> bool:
        """Copy a manifest that this one lists from another repository of its account.

        Only from one that has it whole and undamaged, with its blobs.
        """

    def dangling_tags(self, after: tuple[int, str], limit: int) -> Sequence[TagRow]:
        """Return the next tags, by repository and name, that lead to no manifest."""

    def remove_tag(self, row: TagRow) -> bool:
        """Remove the tag if it still leads nowhere."""

    def stray_needs(self, after: tuple[int, str], limit: int) -> Sequence[StrayRow]:
        """Return the next manifests, by repository and digest, that needs tell of but are gone."""

    def remove_needs(self, row: StrayRow) -> bool:
        """Remove what is written down of a manifest that still is not there."""


class Part(Protocol):
    """One part of the check; others than the registry's may join."""

    def __call__(self, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Yield what is found; repair it where asked to.

        ``deep`` reads all bytes. What is merely under way is no finding: whatever looks wrong is
        looked at once more before it is told.
        """
