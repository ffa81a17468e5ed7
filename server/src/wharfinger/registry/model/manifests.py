"""Manifests: their types, what a parsed one says, and the rules it is held to when stored."""

import hashlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from wharfinger.registry.model.descriptors import Kind, Reference
from wharfinger_common.catalogue import registry as entries
from wharfinger_common.digests import Digest
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT: Final = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT: Final = "application/vnd.cncf.oras.artifact.manifest.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"

IMAGES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
ARTIFACTS: Final = frozenset({OCI_ARTIFACT, ORAS_ARTIFACT})
MANIFESTS: Final = IMAGES | INDEXES | ARTIFACTS
DEPRECATED: Final = ARTIFACTS
"""Taken still, with a warning. Schema 1, deprecated much longer, is refused."""
SCHEMA1: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
FOREIGN: Final = (
    "application/vnd.oci.image.layer.nondistributable.v1.",
    "application/vnd.docker.image.rootfs.foreign.",
)


class ManifestInvalid(Refusal):
    """The manifest breaks a rule of JSON or of its media type."""

    entry = entries.MANIFEST_INVALID


class ManifestTooLarge(Refusal):
    """The manifest exceeds the limit."""

    entry = entries.MANIFEST_TOO_LARGE


class Schema1Unsupported(Refusal):
    """The manifest is of Docker's schema 1."""

    entry = entries.MANIFEST_SCHEMA1


class MediaTypeUnclear(Refusal):
    """Header, manifest and store do not agree on the media type."""

    entry = entries.MANIFEST_MEDIA_TYPE


class ReferencesUnknown(Refusal):
    """The repository lacks something that the manifest references; one item for each."""

    entry = entries.MANIFEST_BLOB_UNKNOWN


class ManifestUnknown(Refusal):
    """The repository has no such manifest."""

    entry = entries.MANIFEST_UNKNOWN


class ManifestDamaged(Refusal):
    """The stored manifest is known to be damaged; as good as not there until pushed again."""

    entry = entries.MANIFEST_DAMAGED


class ManifestDigestMismatch(Refusal):
    """The content is not what the digest says."""

    entry = entries.MANIFEST_DIGEST_MISMATCH


class ManifestReferenced(Refusal):
    """An index that stays lists the manifest."""

    entry = entries.MANIFEST_REFERENCED


class TagsTooMany(Refusal):
    """A push names more tags than allowed."""

    entry = entries.TAGS_TOO_MANY


class ManifestLimits(Struct, frozen=True):
    """Bounds of a manifest: ``size`` in bytes, descriptors, levels of JSON; tags of one push."""

    size: int
    references: int
    depth: int
    tags: int


class ParsedManifest(Struct, frozen=True):
    """What the service needs to know of a manifest; its bytes are stored as they came.

    ``artifact_type`` falls back to the config's media type, as the referrers list wants it.
    ``blobs`` are config and layers, ``children`` what an index lists.
    """

    media_type: str
    artifact_type: str = ""
    subject: str | None = None
    config: Reference | None = None
    blobs: tuple[Reference, ...] = ()
    children: tuple[Reference, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def layers_size(self) -> int:
        """Bytes of all layers, as their descriptors tell them; foreign ones may tell anything."""
        total = sum(blob.size for blob in self.blobs) - (self.config.size if self.config else 0)
        return min(total, 2**63 - 1)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that the manifest is made of."""
        return self.blobs + self.children


class NewManifest(Struct, frozen=True):
    """A manifest that passed all checks, with what each of its references was found to be."""

    digest: str
    content: bytes
    parsed: ParsedManifest
    references: Mapping[str, Kind]

    @property
    def config(self) -> str | None:
        """Digest of the config, None if it has none that the repository shows."""
        config = self.parsed.config
        return config.digest if config and config.digest in self.references else None


class StoredManifest(Struct, frozen=True):
    """A manifest as it is served; ``size`` in bytes, ``content`` empty unless asked for.

    ``damaged``: it is known not to be what its digest says, and must not be served.
    """

    digest: str
    media_type: str
    size: int
    content: bytes = b""
    damaged: bool = False


def verify(content: bytes, digest: Digest) -> None:
    """Let ``content`` pass if it hashes to ``digest``.

    Raises:
        ManifestDigestMismatch: it does not.
    """
    actual = Digest.of(content, digest.algorithm)
    if actual != digest:
        raise ManifestDigestMismatch(digest=str(digest), actual=str(actual))


def resolve(
    manifest: ParsedManifest, blobs: Mapping[str, int], manifests: Mapping[str, int]
) -> dict[str, Kind]:
    """Return what each reference of ``manifest`` is found to be, without foreign layers not here.

    ``blobs`` and ``manifests`` give the sizes in bytes of what the repository has.

    Raises:
        ReferencesUnknown: with one item for every digest that is missing.
        ManifestInvalid: a descriptor's size is not that of the content.
    """
    stored = {Kind.BLOB: blobs, Kind.MANIFEST: manifests}
    found: dict[str, Kind] = {}
    missing: dict[str, Kind] = {}
    for reference in manifest.references:
        kind = next((kind for kind in _kinds(reference) if reference.digest in stored[kind]), None)
        if kind is None:
            if reference.required:
                missing[reference.digest] = reference.kind
            continue
        found[reference.digest] = kind
        _require_size(reference, stored[kind][reference.digest])
    if missing:
        raise ReferencesUnknown(
            [{"digest": digest, "kind": _TOLD[kind]} for digest, kind in missing.items()]
        )
    return found


def manifest_headers(digest: str, media_type: str, size: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of a 200 to GET and HEAD of a manifest; ``size`` in bytes.

    What is stored is served, whatever Accept says: converting would change the digest (OCI
    distribution 1.1, Pulling manifests).
    """
    encoded = digest.encode()
    return [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % size),
        (b"docker-content-digest", encoded),
        (b"etag", b'"%s"' % encoded),
        (b"docker-distribution-api-version", b"registry/2.0"),
    ]


def not_modified_headers(digest: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of a 304 answer (RFC 9110 section 15.4.5)."""
    encoded = digest.encode()
    return [(b"docker-content-digest", encoded), (b"etag", b'"%s"' % encoded)]


def content_digest(content: bytes) -> Digest:
    """Return the digest that ``content`` is stored under when it is pushed by tag."""
    return Digest("sha256", hashlib.sha256(content).hexdigest())


_TOLD: Final = {
    Kind.BLOB: Text("blob"),
    Kind.MANIFEST: Text("manifest"),
    Kind.EITHER: Text("blob or manifest"),
}


def _kinds(reference: Reference) -> tuple[Kind, ...]:
    return (Kind.MANIFEST, Kind.BLOB) if reference.kind is Kind.EITHER else (reference.kind,)


def _require_size(reference: Reference, size: int) -> None:
    if reference.size != size:
        raise ManifestInvalid(
            reason=Text(
                "its descriptor of {digest} says {told} bytes, but the content has {size}",
                digest=reference.digest,
                told=reference.size,
                size=size,
            )
        )
