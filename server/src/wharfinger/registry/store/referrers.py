"""Lists of referrers, from the index on subject and digest."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, func, select

from wharfinger.database.unit import Database
from wharfinger.registry.model.paging import Page
from wharfinger.registry.model.referrers import Referrer, ReferrersPage
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.repositories import named
from wharfinger.registry.tables import manifests, repositories

# What a descriptor has besides that which stands in the manifest itself.
_DESCRIPTOR_BYTES: Final = 512
_NO_ANNOTATIONS: Final = "{}"


class SqlReferrerLists:
    """Implements ``registry.ports.ReferrerLists`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def referrers(
        self, place: Place, subject: str, artifact_type: str, page: Page, size: int
    ) -> ReferrersPage:
        """Return a page of referrers; see the port."""
        listed = _listed(place, subject, artifact_type, page)
        with self._database.reading() as connection:
            sizes = connection.execute(
                listed.with_only_columns(manifests.c.digest, _SIZE).limit(page.limit + 1)
            ).all()
            # Annotations make a page large; only those that fit are read at all.
            count = _fitting([row[1] for row in sizes], page.limit, size)
            if not count:
                return ReferrersPage(())
            rows = connection.execute(listed.limit(count)).all()
        more = len(sizes) > count
        return ReferrersPage([_referrer(row) for row in rows], rows[-1].digest if more else "")


_SIZE: Final = func.length(manifests.c.content)


def _listed(place: Place, subject: str, artifact_type: str, page: Page) -> Select[Any]:
    query = (
        select(
            manifests.c.digest,
            manifests.c.media_type,
            manifests.c.artifact_type,
            manifests.c.annotations,
            _SIZE.label("size"),
        )
        .join(repositories, repositories.c.id == manifests.c.repository_id)
        .where(named(place), manifests.c.subject == subject, manifests.c.digest > page.after)
        .order_by(manifests.c.digest)
    )
    return query.where(manifests.c.artifact_type == artifact_type) if artifact_type else query


def _fitting(sizes: Sequence[int], limit: int, total: int) -> int:
    """Return how many of the first ``limit`` fit into ``total`` bytes; one always does."""
    count = 0
    for size in sizes[:limit]:
        total -= size + _DESCRIPTOR_BYTES
        if total < 0 and count:
            break
        count += 1
    return count


def _referrer(row: Row[Any]) -> Referrer:
    stored = row.annotations
    annotations = msgspec.UNSET if stored == _NO_ANNOTATIONS else msgspec.Raw(stored.encode())
    return Referrer(row.media_type, row.digest, row.size, row.artifact_type, annotations)
