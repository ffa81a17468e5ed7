"""What an account decides for a region."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The account's options (control API, ``/auth`` and ``/settings``).

    ``private_only``: pushes and pulls are taken from the region's private networks only.
    ``platform_metrics``: the account agrees that figures about it are published.
    """

    private_only: bool = False
    platform_metrics: bool = False
