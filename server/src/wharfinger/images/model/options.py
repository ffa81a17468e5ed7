"""What an account decides for a region."""

from msgspec import Struct

from wharfinger_common.catalogue import images as entries
from wharfinger_common.refusals import Refusal


class PoliciesAlwaysHold(Refusal):
    """Access policies were to be switched off."""

    entry = entries.POLICIES_ALWAYS_HOLD


class Options(Struct, frozen=True):
    """The account's options (control API, ``/auth`` and ``/settings``).

    ``private_only``: pushes and pulls are taken from the region's private networks only.
    ``platform_metrics``: figures about the account are shown to its monitoring.
    """

    private_only: bool = False
    platform_metrics: bool = False


class ImageCounts(Struct, frozen=True):
    """What an account has in a region."""

    repositories: int
    images: int
    tags: int
    trashed: int
