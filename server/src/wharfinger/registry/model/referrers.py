"""Referrers: what a manifest's referrers list says (OCI distribution 1.1, Listing Referrers)."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from wharfinger.registry.model.manifests import OCI_INDEX


class Referrer(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The descriptor of a manifest that has a subject; ``size`` in bytes.

    ``annotations`` is the JSON object as it is stored, unset where there are none.
    """

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ReferrersPage(Struct, frozen=True):
    """One page; ``next`` is the digest that the next page starts after, '' on the last one."""

    referrers: Sequence[Referrer]
    next: str = ""


class _Index(msgspec.Struct, rename="camel"):
    schema_version: int
    media_type: str
    manifests: Sequence[Referrer]


def render_index(referrers: Sequence[Referrer]) -> bytes:
    """Return the image index that lists ``referrers``."""
    return msgspec.json.encode(_Index(2, OCI_INDEX, referrers))
