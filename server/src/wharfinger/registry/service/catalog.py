"""The use case of the catalogue."""

from typing import Final

from msgspec.structs import replace

from wharfinger.identity.model import Claims
from wharfinger.registry.model.paging import page_of_repositories
from wharfinger.registry.ports import Catalog, VisibleNamespaces
from wharfinger.registry.service.tags import Names, cut


class Catalogue:
    """Blocking; any thread may call. ``maximum`` is the most entries of one page."""

    def __init__(self, catalog: Catalog, visible: VisibleNamespaces, maximum: int) -> None:
        self._catalog: Final = catalog
        self._visible: Final = visible
        self._maximum: Final = maximum

    def list(self, claims: Claims, n: str, last: str) -> Names:
        """Return a page of the repositories that the bearer may pull, in the order of their bytes.

        Docker Registry HTTP API V2, Listing Repositories. ``n`` and ``last`` are the query's
        parameters, '' where missing.

        Raises:
            PageInvalid: ``n`` or ``last`` is not allowed.
        """
        page = page_of_repositories(n, last, self._maximum)
        visibility = self._visible.visible_to(claims)
        found = self._catalog.repositories(
            claims.region, visibility, replace(page, limit=page.limit + 1)
        )
        return cut(found, page.limit)
