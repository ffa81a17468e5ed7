"""Whether what is in the trash can be restored: a part of ``wharfd fsck``."""

from collections.abc import Iterator
from typing import Final

from wharfinger.images.model.trash import GonePart, TrashedManifest
from wharfinger.images.ports import TrashChecks
from wharfinger.registry.model.checking import Checked
from wharfinger_common.catalogue import storage as entries
from wharfinger_common.digests import Digest
from wharfinger_common.findings import Finding, Severity

_PAGE: Final = 16
"""Manifests in memory at once; one may have megabytes."""
_LIST_PAGE: Final = 500


class TrashCheck:
    """Goes over deleted images (``registry.ports.checking.Part``).

    There is nothing to repair: a push of the same image brings it back whole, and what cannot be
    restored leaves the trash in time.
    """

    def __init__(self, records: TrashChecks) -> None:
        self._records: Final = records

    def __call__(self, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Yield what is found; see the port. Manifests are read whole in any case."""
        del deep, repair
        after = 0
        while page := self._records.manifests(after, _PAGE):
            yield from (Checked(_corrupt(row)) for row in page if not _is_right(row))
            after = page[-1].id
        behind = (0, "")
        while gone := self._records.gone(behind, _LIST_PAGE):
            yield from (Checked(_gone(row)) for row in gone)
            behind = (gone[-1].entry, gone[-1].child)


def _is_right(row: TrashedManifest) -> bool:
    digest = Digest.parse(row.digest)
    return Digest.of(row.content, digest.algorithm) == digest


def _corrupt(row: TrashedManifest) -> Finding:
    facts = {"digest": row.digest, "repository": row.repository}
    return Finding("trash-manifest", Severity.WARNING, entries.TRASH_CORRUPT, facts)


def _gone(row: GonePart) -> Finding:
    facts = {"digest": row.digest, "repository": row.repository, "child": row.child}
    return Finding("trash-part", Severity.WARNING, entries.TRASH_PART_GONE, facts)
