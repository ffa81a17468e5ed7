"""Refusals of the database, mapped from the drivers' errors at this boundary."""

import errno
from typing import Final

from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

RETRY_SECONDS: Final = "1"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class DatabaseUnavailable(Refusal):
    """The database does not answer, is locked for too long, or lost the connection."""

    entry = entries.NOT_READY

    def __init__(self) -> None:
        super().__init__(part=Text("database"), headers={"Retry-After": RETRY_SECONDS})


class DatabaseInterrupted(DatabaseUnavailable):
    """The database ended a unit of work by itself: it was stopped, or two units were deadlocked.

    Nothing of the unit stands, so that it may be run again; unless ``committing``: then the
    connection was lost after the commit was sent and before it was answered.
    """

    def __init__(self, *, committing: bool = False) -> None:
        super().__init__()
        self.committing: Final = committing
        self.undone = not committing


class StorageFull(Refusal):
    """There is no room left on the disk under the database or the blob store."""

    entry = entries.STORAGE_FULL


def means_full(error: OSError) -> bool:
    """Whether the system says that no space, or no quota of it, is left."""
    return error.errno in _NO_ROOM
