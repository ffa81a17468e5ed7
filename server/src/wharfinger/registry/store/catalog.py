"""The catalogue: ranges of indexes, one for each account or namespace that the caller may see."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from wharfinger.database.unit import Database
from wharfinger.identity.model import Visibility
from wharfinger.registry.model.paging import Page
from wharfinger.registry.tables import repositories


class SqlCatalog:
    """Implements ``registry.ports.Catalog`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def repositories(self, region: str, visibility: Visibility, page: Page) -> Sequence[str]:
        """Return a page of visible repositories; see the port."""
        if not page.limit:
            return []
        with self._database.reading() as connection:
            ranges = _Ranges(connection, region, page)
            accounts = [ranges.of_account(account) for account in sorted(visibility.accounts)]
            others = {pair for pair in visibility.namespaces if pair[0] not in visibility.accounts}
            merged = heapq.merge(*accounts, ranges.of_namespaces(others))
            return list(islice(merged, page.limit))


class _Ranges:
    def __init__(self, connection: Connection, region: str, page: Page) -> None:
        self._connection = connection
        self._region = region
        self._page = page

    def of_account(self, account: str) -> Sequence[str]:
        return self._names(repositories.c.account_id == account)

    def of_namespaces(self, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Yield what is in the namespaces, in order; asks for each only when it is its turn."""
        # A name goes on with a slash after its namespace, and that decides the order.
        for namespace, account in sorted((f"{name}/", account) for account, name in pairs):
            if namespace + "\uffff" > self._page.after:
                yield from self._names(
                    repositories.c.namespace == namespace[:-1],
                    repositories.c.account_id == account,
                )

    def _names(self, *conditions: ColumnElement[bool]) -> Sequence[str]:
        query = (
            select(repositories.c.name)
            .where(
                repositories.c.region == self._region,
                repositories.c.name > self._page.after,
                *conditions,
            )
            .order_by(repositories.c.name)
            .limit(self._page.limit)
        )
        return self._connection.scalars(query).all()
