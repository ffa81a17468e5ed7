"""Manifests, what they need, and tags: the second part of ``wharfd fsck``."""

from collections.abc import Iterator, Mapping
from typing import Final

from wharfinger.registry.model.checking import (
    Checked,
    ManifestRow,
    Remedy,
    StrayRow,
    TagRow,
    needs_right,
    parsed,
)
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.manifests import ParsedManifest
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.checking import ManifestChecks
from wharfinger_common.catalogue import storage as entries
from wharfinger_common.digests import Digest
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.refusals import Entry

PAGE: Final = 16
"""Manifests in memory at once; one may have megabytes."""
_LIST_PAGE: Final = 500
_COPIES: Final = 4


class ManifestCheck:
    """Goes over manifests, then tags, then stray rows (``registry.ports.checking.Part``)."""

    def __init__(self, records: ManifestChecks, clock: Clock) -> None:
        self._records: Final = records
        self._clock: Final = clock

    def __call__(self, *, deep: bool, repair: bool) -> Iterator[Checked]:
        """Yield what is found; see the port. Manifests are read whole in any case."""
        del deep
        after = 0
        while page := self._records.manifests(after, PAGE):
            for row in page:
                yield from self._manifest(row, repair=repair)
            after = page[-1].id
        yield from self._tags(repair=repair)
        yield from self._strays(repair=repair)

    def _manifest(self, row: ManifestRow, *, repair: bool) -> Iterator[Checked]:
        if row.damaged or row.actual != row.digest:
            yield self._damaged(row, repair=repair)
            # What it needs can be told of only when it can be read.
            return
        manifest = parsed(row)
        if manifest is None:
            return
        needs = row.references
        if not needs_right(row, manifest):
            needs = self._needs(row, manifest)
            rewritten = repair and self._records.rewrite(row, needs)
            finding = _of("references", entries.REFERENCES_WRONG, row)
            remedy = Remedy.REWRITTEN if rewritten else Remedy.NONE
            yield Checked(finding, remedy, row.repository)
        yield from self._children(row, needs, repair=repair)

    def _damaged(self, row: ManifestRow, *, repair: bool) -> Checked:
        if row.damaged:
            finding = _of("manifest-fenced", entries.MANIFEST_FENCED, row)
        else:
            finding = _of("manifest-digest", entries.MANIFEST_CORRUPT, row, actual=row.actual)
        return Checked(finding, self._mend(row) if repair else Remedy.NONE, row.repository)

    def _mend(self, row: ManifestRow) -> Remedy:
        digest = Digest.parse(row.digest)
        # Its own content comes first: somebody may have put it right.
        for content in (row.content, *self._records.copies(row.digest, _COPIES)):
            if Digest.of(content, digest.algorithm) == digest:
                return Remedy.RESTORED if self._records.restore(row, content) else Remedy.NONE
        if row.damaged or not self._records.fence_manifest(row, int(self._clock())):
            return Remedy.NONE
        return Remedy.FENCED

    def _needs(self, row: ManifestRow, manifest: ParsedManifest) -> dict[str, Kind]:
        """Return what should be written down; what may be either is what the repository has."""
        said = {each.digest: each for each in manifest.references}
        as_blobs = self._records.absent(row.repository, dict.fromkeys(said, Kind.BLOB))
        needs: dict[str, Kind] = {}
        for digest, each in said.items():
            if each.kind is Kind.EITHER:
                needs[digest] = Kind.MANIFEST if digest in as_blobs else Kind.BLOB
            elif each.required or digest not in as_blobs:
                needs[digest] = each.kind
        return needs

    def _children(
        self, row: ManifestRow, needs: Mapping[str, Kind], *, repair: bool
    ) -> Iterator[Checked]:
        absent = self._records.absent(row.repository, needs)
        if not absent or self._records.manifest(row.id) is None:
            # Deleted since the page was read, with its blobs.
            return
        for child in sorted(absent):
            finding = _of("manifest-child", entries.CHILD_MISSING, row, child=child)
            remedy = self._bring(row, child, needs[child]) if repair else Remedy.NONE
            yield Checked(finding, remedy, row.repository)

    def _bring(self, row: ManifestRow, child: str, kind: Kind) -> Remedy:
        now = int(self._clock())
        if kind is Kind.BLOB:
            return Remedy.RELINKED if self._records.relink(row, child, now) else Remedy.NONE
        return Remedy.COPIED if self._records.adopt(row, child, now) else Remedy.NONE

    def _tags(self, *, repair: bool) -> Iterator[Checked]:
        after = (0, "")
        while page := self._records.dangling_tags(after, _LIST_PAGE):
            for row in page:
                gone = repair and self._records.remove_tag(row)
                remedy = Remedy.REMOVED if gone else Remedy.NONE
                yield Checked(_tag(row), remedy, row.repository)
            after = (page[-1].repository, page[-1].tag)

    def _strays(self, *, repair: bool) -> Iterator[Checked]:
        after = (0, "")
        while page := self._records.stray_needs(after, _LIST_PAGE):
            for row in page:
                gone = repair and self._records.remove_needs(row)
                remedy = Remedy.REMOVED if gone else Remedy.NONE
                yield Checked(_stray(row), remedy, row.repository)
            after = (page[-1].repository, page[-1].digest)


def _of(check: str, entry: Entry, row: ManifestRow, **facts: object) -> Finding:
    told = {"digest": row.digest, "repository": row.name} | facts
    return Finding(check, Severity.ERROR, entry, told)


def _tag(row: TagRow) -> Finding:
    facts = {"tag": row.tag, "repository": row.name, "digest": row.digest}
    return Finding("tag-dangling", Severity.ERROR, entries.TAG_DANGLING, facts)


def _stray(row: StrayRow) -> Finding:
    facts = {"repository": row.name, "digest": row.digest}
    return Finding("references-stray", Severity.WARNING, entries.REFERENCES_STRAY, facts)
