"""What is collected and why."""

from enum import StrEnum


class Reason(StrEnum):
    """Why bytes or links are not needed any more."""

    UNREFERENCED = "unreferenced"
    """No manifest of the repository needs the blob, and its grace is over."""
    UNLINKED = "unlinked"
    """No repository shows the blob, and nothing else keeps it."""
    REPLACED = "replaced"
    """The blob was pushed again and has other bytes now."""
    ORPHANED = "orphaned"
    """No blob has these bytes, and they are too old for a push that is still under way."""
