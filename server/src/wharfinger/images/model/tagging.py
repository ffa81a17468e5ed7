"""What tagging refuses, and what goes with an image where it is copied."""

from typing import Final

from wharfinger_common.catalogue import images as entries
from wharfinger_common.digests import Digest
from wharfinger_common.refusals import Refusal

COMPANIONS: Final = 1000
"""How many manifests that belong to an image are copied with it at most."""

_SUFFIXES: Final = ("", ".sig", ".att", ".sbom")


class ChildMissing(Refusal):
    """Something that an image is made of is missing where it is copied from."""

    entry = entries.CHILD_MISSING


def companion_tags(digest: str) -> list[str]:
    """Return the tags under which what belongs to a manifest is kept by those without referrers.

    The fallback of OCI distribution 1.1 (Referrers Tag Schema), and cosign's signatures,
    attestations and bills of materials.
    """
    parsed = Digest.parse(digest)
    return [f"{parsed.algorithm}-{parsed.hex}{suffix}" for suffix in _SUFFIXES]
