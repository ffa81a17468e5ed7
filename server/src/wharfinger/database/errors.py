"""Refusals of the database, mapped from the drivers' errors at this boundary."""

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal


class DatabaseUnavailable(Refusal):
    """The database does not answer, is locked for too long, or lost the connection."""

    entry = entries.NOT_READY


class StorageFull(Refusal):
    """There is no room left on the disk under the database or the blob store."""

    entry = entries.STORAGE_FULL
