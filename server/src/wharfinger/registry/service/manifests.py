"""The use cases of manifests and of the tags that lead to them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from wharfinger.database.again import again, rerun
from wharfinger.quotas.service.storage import StorageQuota, Unmetered
from wharfinger.registry.model.manifests import (
    ManifestDamaged,
    ManifestLimits,
    ManifestReferenced,
    ManifestUnknown,
    MediaTypeUnclear,
    NewManifest,
    ParsedManifest,
    StoredManifest,
    TagsTooMany,
    content_digest,
    resolve,
    verify,
)
from wharfinger.registry.model.parsing import parse
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.ports import Clock, ManifestChanges, ManifestStore, Namespaces
from wharfinger.registry.service.configs import Configs
from wharfinger_common.digests import Digest
from wharfinger_common.languages import Text
from wharfinger_common.names import namespace_of, require_repository, require_tag
from wharfinger_common.refusals import Refusal


class Push(Struct, frozen=True):
    """A manifest as it was sent: to a tag or a digest, with tag parameters beside."""

    reference: str
    content: bytes
    content_type: str = ""
    tags: Sequence[str] = ()


class Pushed(Struct, frozen=True):
    """What a push led to; ``tags`` are the tag parameters that were set."""

    digest: str
    media_type: str
    subject: str | None
    tags: Sequence[str]


class Manifests:
    """Blocking; any thread may call. Names and references are taken as they were sent."""

    def __init__(
        self,
        store: ManifestStore,
        namespaces: Namespaces,
        configs: Configs,
        limits: ManifestLimits,
        clock: Clock,
        quota: StorageQuota | None = None,
    ) -> None:
        self._quota: Final = quota or Unmetered()
        self._store: Final = store
        self._configs: Final = configs
        self._namespaces: Final = namespaces
        self._limits: Final = limits
        self._clock: Final = clock

    @again
    def put(self, place: Place, push: Push) -> Pushed:
        """Store a manifest once all it references is in the repository, and set its tags.

        Pushed again, it stays as it is and the tags move. Two pushes of one tag at once leave
        it at one of both manifests. OCI distribution 1.1, Pushing Manifests.

        Raises:
            NameInvalid, TagInvalid, DigestInvalid: a name breaks its grammar.
            TagsTooMany: more tag parameters than allowed.
            ManifestTooLarge, ManifestInvalid, MediaTypeUnclear, Schema1Unsupported: `parse`.
            ManifestDigestMismatch: the content is not what the digest in the path says.
            NamespaceUnknown: the namespace does not exist.
            ReferencesUnknown: with an item for each digest that the repository lacks.
        """
        reference = _reference(place, push.reference)
        tags = self._require_tags(push.tags)
        parsed = parse(push.content, push.content_type, self._limits)
        digest = _digest(push.content, reference)
        account = self._namespaces.require(place.region, namespace_of(place.repository)).account
        names = tags if isinstance(reference, Digest) else [reference, *tags]
        facts = self._configs.facts(parsed.config)
        with self._store.writing() as changes:
            at = int(self._clock())
            repository = changes.open(place, account, at)
            manifest = _store(changes, repository, push.content, parsed, digest, at)
            if facts is not None and manifest.config is not None:
                changes.describe(manifest.config, facts)
            changes.move_tags(repository, names, digest, at)
        if facts is not None and manifest.config is not None:
            self._configs.described(manifest.config)
        if names:
            # The push stands, whatever becomes of this.
            with suppress(Refusal):
                self._quota.tagged(place.region, account, place.repository)
        return Pushed(digest, parsed.media_type, parsed.subject, tags)

    def get(self, place: Place, reference: str) -> StoredManifest:
        """Return the manifest of a tag or digest with its bytes (OCI distribution 1.1, end-3).

        Raises:
            NameInvalid, TagInvalid, DigestInvalid: a name breaks its grammar.
            NamespaceUnknown: the namespace does not exist, or is being deleted.
            NameUnknown: there is no such repository.
            ManifestUnknown: the repository has no such manifest or tag.
            ManifestDamaged: what is stored is known not to be it.
        """
        return self._find(place, reference, content=True)

    def head(self, place: Place, reference: str) -> StoredManifest:
        """Return what `get` returns, without the bytes; raises the same."""
        return self._find(place, reference, content=False)

    def delete(self, place: Place, reference: str) -> None:
        """Delete a tag, or by digest a manifest with its tags and the blobs that only it held.

        OCI distribution 1.1, Deleting tags and Deleting Manifests.

        Raises:
            NameInvalid, TagInvalid, DigestInvalid: a name breaks its grammar.
            NameUnknown: there is no such repository.
            ManifestUnknown: the repository has no such manifest or tag.
            ManifestReferenced: a stored index lists the manifest.
        """
        parsed = _reference(place, reference)
        rerun(lambda *, uncertain: self._delete(place, parsed, uncertain=uncertain))

    def _delete(self, place: Place, reference: Digest | str, *, uncertain: bool) -> None:
        with self._store.writing() as changes:
            repository = changes.lock(place)
            if repository is None:
                raise NameUnknown(name=place.repository)
            if isinstance(reference, Digest):
                gone = _remove(changes, repository, str(reference))
            else:
                gone = changes.remove_tag(repository, reference)
            # What is gone was there, where an earlier run may have been committed.
            if not gone and not uncertain:
                raise ManifestUnknown(name=place.repository, reference=str(reference))

    def _find(self, place: Place, reference: str, *, content: bool) -> StoredManifest:
        parsed = _reference(place, reference)
        self._namespaces.require(place.region, namespace_of(place.repository))
        with self._store.reading() as records:
            found = records.find(place, parsed, content=content)
            if found is not None and found.damaged:
                raise ManifestDamaged(name=place.repository, digest=found.digest)
            if found is not None:
                return found
            if not records.exists(place):
                raise NameUnknown(name=place.repository)
        raise ManifestUnknown(name=place.repository, reference=reference)

    def _require_tags(self, tags: Sequence[str]) -> Sequence[str]:
        if len(tags) > self._limits.tags:
            raise TagsTooMany(count=len(tags), limit=self._limits.tags)
        return [require_tag(tag) for tag in tags]


def _reference(place: Place, text: str) -> Digest | str:
    require_repository(place.repository)
    return Digest.parse(text) if ":" in text else require_tag(text)


def _digest(content: bytes, reference: Digest | str) -> str:
    if isinstance(reference, Digest):
        verify(content, reference)
        return str(reference)
    return str(content_digest(content))


def _store(
    changes: ManifestChanges,
    repository: int,
    content: bytes,
    parsed: ParsedManifest,
    digest: str,
    at: int,
) -> NewManifest:
    wanted = {reference.digest for reference in parsed.references}
    children = {reference.digest for reference in parsed.children}
    found = resolve(
        parsed,
        changes.blob_sizes(repository, wanted),
        changes.manifest_sizes(repository, children),
    )
    manifest = NewManifest(digest, content, parsed, found)
    stored_as = changes.add(repository, manifest, at)
    # One digest under two types would be one thing to one client and another to the next.
    if stored_as != parsed.media_type:
        raise MediaTypeUnclear(
            reason=Text(
                "it is stored as {stored} already, not as {type}",
                stored=stored_as,
                type=parsed.media_type,
            )
        )
    return manifest


def _remove(changes: ManifestChanges, repository: int, digest: str) -> bool:
    parent = changes.parent(repository, digest)
    if parent is not None:
        raise ManifestReferenced(digest=digest, parent=parent)
    return changes.remove(repository, digest)
