"""Repositories: what is known of one."""

from msgspec import Struct

from wharfinger_common.catalogue import registry as entries
from wharfinger_common.refusals import Refusal


class NameUnknown(Refusal):
    """There is no such repository."""

    entry = entries.NAME_UNKNOWN


class Place(Struct, frozen=True):
    """Where a request reads or writes: a repository's full name in a region."""

    region: str
    repository: str
