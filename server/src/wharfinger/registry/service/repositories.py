"""The end of repositories with their namespace."""

from typing import Final

from wharfinger.registry.ports import NamespaceContents, NamespaceUploads


class RegistryDeletion:
    """The registry's step of the deletion of a namespace (``namespaces.ports.DeletionStep``).

    Removes upload sessions, tags, manifests, links to blobs, and repositories, ``batch`` rows in
    a transaction. The blobs themselves are collected once nothing shows them.
    """

    name = "registry"

    def __init__(
        self, contents: NamespaceContents, uploads: NamespaceUploads, batch: int = 1000
    ) -> None:
        self._contents: Final = contents
        self._uploads: Final = uploads
        self._batch: Final = batch

    def run(self, region: str, namespace: str) -> bool:
        """Remove one batch; return True when nothing is left."""
        return not (
            self._uploads.discard(region, namespace, self._batch)
            or self._contents.delete_batch(region, namespace, self._batch)
        )

    def remaining(self, region: str, namespace: str) -> int:
        """Return how many repositories are left."""
        return self._contents.remaining(region, namespace)
