"""Accounts that are pulled from and pushed to over private networks only."""

from typing import Protocol

from wharfinger_common.catalogue import images as entries
from wharfinger_common.refusals import Refusal


class PrivateOnly(Refusal):
    """The namespace's account takes pulls and pushes from private networks only."""

    entry = entries.PRIVATE_ONLY


class Private(Protocol):
    """Which namespaces are restricted so, as the process knows it; wired from images."""

    def is_stale(self) -> bool:
        """Whether `refresh` is due; until then the other answers come from memory."""

    def refresh(self) -> None:
        """Look it up again; may block on the database."""

    def restricts(self, region: str, namespace: str) -> bool:
        """Whether the namespace is restricted."""


class Unrestricted:
    """`Private` where no account can be restricted."""

    def is_stale(self) -> bool:
        """Return False."""
        return False

    def refresh(self) -> None:
        """Do nothing."""

    def restricts(self, region: str, namespace: str) -> bool:  # noqa: ARG002 - the port's shape
        """Return False."""
        return False
