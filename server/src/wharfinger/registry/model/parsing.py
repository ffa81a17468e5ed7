"""Reading a manifest: strict JSON, its media type, and the form that type has (OCI image 1.1)."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from wharfinger.registry.model.descriptors import (
    MAX_MEDIA_TYPE,
    Descriptor,
    Kind,
    OptionalMediaType,
    Reference,
    is_digest,
)
from wharfinger.registry.model.manifests import (
    ARTIFACTS,
    FOREIGN,
    INDEXES,
    MANIFESTS,
    SCHEMA1,
    ManifestInvalid,
    ManifestLimits,
    ManifestTooLarge,
    MediaTypeUnclear,
    ParsedManifest,
    Schema1Unsupported,
)
from wharfinger.registry.model.strict_json import Bounds, require_strict
from wharfinger_common.languages import Text

# Beside its few fields a descriptor may carry a platform, annotations and URLs.
_VALUES_PER_DESCRIPTOR: Final = 32
_APPLICATION: Final = re.compile(r"application/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*")
_GENERAL: Final = frozenset(
    {
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    }
)


class _Head(msgspec.Struct, rename="camel"):
    schema_version: object = None
    media_type: OptionalMediaType | None = None


class _Document(msgspec.Struct, rename="camel"):
    schema_version: int | None = None
    artifact_type: OptionalMediaType | None = None
    subject: Descriptor | None = None
    config: Descriptor | UnsetType | None = UNSET
    layers: tuple[Descriptor, ...] | UnsetType | None = UNSET
    manifests: tuple[Descriptor, ...] | UnsetType | None = UNSET
    blobs: tuple[Descriptor, ...] | UnsetType | None = UNSET
    annotations: dict[str, str] | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)
_DOCUMENT: Final = msgspec.json.Decoder(_Document)


def parse(content: bytes, content_type: str, limits: ManifestLimits) -> ParsedManifest:
    """Return what the manifest ``content``, sent as ``content_type`` ('' for none), says.

    OCI image manifest and index, OCI and ORAS artifact manifest, Docker schema 2 and manifest
    list are held to their specification. Of other types only what has the form of descriptors
    in the usual fields is read; anything else in them is theirs (OCI image 1.1: unknown media
    types must not generate an error).

    Raises:
        ManifestTooLarge: more than ``limits.size`` bytes.
        ManifestInvalid: not strict JSON, too deep, too many descriptors, or not of its type.
        MediaTypeUnclear: Content-Type and mediaType differ, or neither is there.
        Schema1Unsupported: a Docker schema 1 manifest.
    """
    if len(content) > limits.size:
        raise ManifestTooLarge(limit=limits.size)
    bounds = Bounds(limits.depth, limits.references * _VALUES_PER_DESCRIPTOR)
    require_strict(content, bounds, _invalid)
    media_type = _media_type(content, content_type)
    if media_type in MANIFESTS:
        return _known(content, media_type, limits)
    return _unknown(content, media_type, limits)


def _invalid(reason: str) -> ManifestInvalid:
    return ManifestInvalid(reason=reason)


def _media_type(content: bytes, content_type: str) -> str:
    sent = content_type.partition(";")[0].strip()
    try:
        head = _HEAD.decode(content)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _invalid(
            Text("it has not the form of a manifest: {error}", error=str(error))
        ) from None
    old = head.schema_version == 1 and head.schema_version is not True
    if old or sent.lower() in SCHEMA1 or head.media_type in SCHEMA1:
        raise Schema1Unsupported
    if head.media_type and sent and sent.lower() != head.media_type.lower():
        raise MediaTypeUnclear(
            reason=Text(
                "Content-Type says {sent}, the manifest says {own}",
                sent=sent[:255],
                own=head.media_type,
            )
        )
    return _require_media_type(head.media_type or sent)


def _require_media_type(text: str) -> str:
    if not text:
        raise MediaTypeUnclear(
            reason=Text("there is neither a Content-Type header nor a mediaType")
        )
    # The type goes out as Content-Type: what a browser might run is no manifest.
    if len(text) > MAX_MEDIA_TYPE or not _APPLICATION.fullmatch(text):
        raise MediaTypeUnclear(
            reason=Text("{type} is not the media type of a manifest", type=ascii(text[:255]))
        )
    if text in _GENERAL:
        raise MediaTypeUnclear(
            reason=Text("{type} does not tell what kind of manifest it is", type=text)
        )
    return text


def _known(content: bytes, media_type: str, limits: ManifestLimits) -> ParsedManifest:
    document = _decode(content)
    _require_shape(document, media_type)
    return _parsed(document, media_type, limits)


def _unknown(content: bytes, media_type: str, limits: ManifestLimits) -> ParsedManifest:
    try:
        document = _decode(content)
        return _parsed(document, media_type, limits)
    except ManifestInvalid:
        return ParsedManifest(media_type)


def _decode(content: bytes) -> _Document:
    try:
        return _DOCUMENT.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _invalid(
            Text("it has not the form of a manifest: {error}", error=str(error))
        ) from None


def _require_shape(document: _Document, media_type: str) -> None:
    if media_type in ARTIFACTS:
        return _forbid(document, media_type, ("config", "layers", "manifests"))
    if document.schema_version != 2:
        raise _invalid(Text("its schemaVersion is not 2"))
    # A document that can be read as both would be one thing to one client and another to the
    # next (CVE-2021-41190).
    if media_type in INDEXES:
        _require(document, "manifests")
        return _forbid(document, media_type, ("config", "layers"))
    _require(document, "layers")
    if not isinstance(document.config, Descriptor):
        raise _invalid(Text("it has no config"))
    return _forbid(document, media_type, ("manifests",))


def _require(document: _Document, name: str) -> None:
    if getattr(document, name) is UNSET:
        raise _invalid(Text("it has no {name}", name=name))


def _forbid(document: _Document, media_type: str, names: Iterable[str]) -> None:
    for name in names:
        if getattr(document, name) is not UNSET:
            raise _invalid(
                Text("a manifest of type {type} has no {name}", type=media_type, name=name)
            )


def _parsed(document: _Document, media_type: str, limits: ManifestLimits) -> ParsedManifest:
    config = document.config or None
    layers = _list(document.layers) + _list(document.blobs)
    children = _list(document.manifests)
    if len(layers) + len(children) + bool(config) > limits.references:
        raise _invalid(Text("it holds more than {limit} descriptors", limit=limits.references))
    blobs = tuple(_reference(layer, Kind.BLOB) for layer in layers)
    config_reference = _reference(config, Kind.BLOB) if config else None
    return ParsedManifest(
        media_type=media_type,
        artifact_type=document.artifact_type or (config.media_type if config else ""),
        subject=_digest(document.subject) if document.subject else None,
        config=config_reference,
        blobs=(config_reference, *blobs) if config_reference else blobs,
        children=tuple(_reference(child, _child_kind(child)) for child in children),
        annotations=document.annotations or {},
    )


def _list(descriptors: tuple[Descriptor, ...] | UnsetType | None) -> tuple[Descriptor, ...]:
    # Go clients write an empty list as null.
    return descriptors or ()


def _reference(descriptor: Descriptor, kind: Kind) -> Reference:
    required = not descriptor.media_type.startswith(FOREIGN)
    return Reference(_digest(descriptor), descriptor.size, kind, required)


def _child_kind(descriptor: Descriptor) -> Kind:
    # Build caches list plain blobs in an index; the specification lets types be unknown there.
    return Kind.MANIFEST if descriptor.media_type in MANIFESTS else Kind.EITHER


def _digest(descriptor: Descriptor) -> str:
    if not is_digest(descriptor.digest):
        raise _invalid(
            Text("{digest} is not a valid digest", digest=ascii(descriptor.digest[:160]))
        )
    return descriptor.digest
