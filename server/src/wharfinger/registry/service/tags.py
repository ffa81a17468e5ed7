"""The use case of tag lists."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from wharfinger.registry.model.paging import page_of_tags
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.ports import Namespaces, TagLists
from wharfinger_common.names import namespace_of, require_repository


class Names(Struct, frozen=True):
    """A page of names; ``more`` tells whether there are further ones, which follow the last."""

    names: Sequence[str]
    more: bool


class Tags:
    """Blocking; any thread may call. ``maximum`` is the most entries of one page."""

    def __init__(self, lists: TagLists, namespaces: Namespaces, maximum: int) -> None:
        self._lists: Final = lists
        self._namespaces: Final = namespaces
        self._maximum: Final = maximum

    def list(self, place: Place, n: str, last: str) -> Names:
        """Return a page of tags in the order of their bytes (OCI distribution 1.1, Listing Tags).

        ``n`` and ``last`` are the query's parameters, '' where missing.

        Raises:
            NameInvalid: the repository's name breaks the grammar.
            PageInvalid: ``n`` or ``last`` is not allowed.
            NamespaceUnknown: the namespace does not exist, or is being deleted.
            NameUnknown: there is no such repository.
        """
        namespace = namespace_of(require_repository(place.repository))
        page = page_of_tags(n, last, self._maximum)
        self._namespaces.require(place.region, namespace)
        found = self._lists.tags(place, replace(page, limit=page.limit + 1))
        if found is None:
            raise NameUnknown(name=place.repository)
        return cut(found, page.limit)


def cut(names: Sequence[str], limit: int) -> Names:
    """Return the first ``limit`` of names that were read with one more than that.

    An empty page has no next one: nobody could say what it follows.
    """
    return Names(names[:limit], bool(limit) and len(names) > limit)
