"""Lists of tags, straight from the primary key."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from wharfinger.database.unit import Database
from wharfinger.registry.model.paging import Page
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.repositories import named
from wharfinger.registry.tables import repositories, tags


class SqlTagLists:
    """Implements ``registry.ports.TagLists`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def tags(self, place: Place, page: Page) -> Sequence[str] | None:
        """Return a page of tags; see the port."""
        with self._database.reading() as connection:
            repository = connection.scalar(select(repositories.c.id).where(named(place)))
            if repository is None:
                return None
            query = (
                select(tags.c.name)
                .where(tags.c.repository_id == repository, tags.c.name > page.after)
                .order_by(tags.c.name)
                .limit(page.limit)
            )
            return list(connection.scalars(query))
