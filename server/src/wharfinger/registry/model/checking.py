"""Checking of what is stored: what was found, and what was done about it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.manifests import ManifestLimits, ParsedManifest
from wharfinger.registry.model.parsing import parse
from wharfinger_common.digests import Digest
from wharfinger_common.findings import Finding
from wharfinger_common.refusals import Refusal


class Remedy(StrEnum):
    """What repair did."""

    NONE = ""
    FENCED = "fenced"
    """The thing counts as missing until it is pushed again."""
    RELEASED = "released"
    """It is whole again, and served."""
    RESTORED = "restored"
    """It was taken from a place that has it whole."""
    RELINKED = "relinked"
    """A blob is shown again where a manifest needs it."""
    COPIED = "copied"
    """A manifest was copied from another repository of the account."""
    REWRITTEN = "rewritten"
    """Rows were written anew from the manifest."""
    REMOVED = "removed"
    """It is gone, or will be as soon as its bytes may be deleted."""

    @property
    def mends(self) -> bool:
        """Whether nothing is left of what was found; what is fenced still waits for a push."""
        return self not in {Remedy.NONE, Remedy.FENCED}


class Checked(Struct, frozen=True):
    """One finding, and what was done about it; nothing where repair was not asked for."""

    finding: Finding
    remedy: Remedy = Remedy.NONE
    repository: int | None = None
    """The key of the repository that it is about, where it is about one."""


class BlobRow(Struct, frozen=True):
    """A blob as the database knows it; ``size`` in bytes, ``seal`` as it was placed with."""

    digest: str
    size: int
    location: str
    damaged: bool
    seal: str = ""


class ManifestRow(Struct, frozen=True):
    """A manifest as the database has it, and what is written down of what it needs."""

    id: int
    repository: int
    name: str
    digest: str
    media_type: str
    content: bytes
    damaged: bool
    references: Mapping[str, Kind]

    @property
    def actual(self) -> str:
        """The digest that the content has."""
        return str(Digest.of(self.content, Digest.parse(self.digest).algorithm))


class TagRow(Struct, frozen=True):
    """A tag of the repository ``name`` (of the key ``repository``) and the manifest it leads to."""

    repository: int
    name: str
    tag: str
    digest: str


class StrayRow(Struct, frozen=True):
    """A manifest of which needs are written down though the repository does not have it."""

    repository: int
    name: str
    digest: str


# What was accepted once is read, whatever the limits of today are.
_ANY: ManifestLimits = ManifestLimits(size=1 << 30, references=1 << 20, depth=1000, tags=1)


def parsed(row: ManifestRow) -> ParsedManifest | None:
    """Return what the manifest says; None for one that today's rules do not read."""
    try:
        return parse(row.content, row.media_type, _ANY)
    except Refusal:
        return None


def needs_right(row: ManifestRow, manifest: ParsedManifest) -> bool:
    """Whether what is written down is what the manifest says.

    Of foreign layers there may be rows or not: they count only if they happened to be there.
    """
    said = {reference.digest: reference for reference in manifest.references}
    required = {digest for digest, reference in said.items() if reference.required}
    if not required <= set(row.references) <= set(said):
        return False
    return all(said[child].kind in {kind, Kind.EITHER} for child, kind in row.references.items())
