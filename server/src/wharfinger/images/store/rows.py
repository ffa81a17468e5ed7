"""Pages of manifests, straight from indexes, and what belongs to each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    exists,
    func,
    select,
)

from wharfinger.images.model.listing import Listed, Scope, Tagged
from wharfinger.registry.model.manifests import INDEXES
from wharfinger.registry.tables import image_configs, manifests, repositories, tags

MOST_TAGS: Final = 100_000
"""Tags read for one chunk of a list."""

_OF_MANIFEST: Final = and_(
    tags.c.repository_id == manifests.c.repository_id, tags.c.digest == manifests.c.digest
)


def page(
    connection: Connection,
    scope: Scope,
    after: tuple[str, str],
    limit: int,
    tagged: Tagged,
    *,
    indexes: bool,
) -> Sequence[Listed]:
    """Return a page of manifests; see ``images.ports.Records``.

    The rest of the repository that a page ended in, then the repositories behind it: each a range
    of an index.
    """
    repository, digest = after
    steps = [repositories.c.name > repository]
    if repository:
        column = tags.c.digest if tagged is Tagged.ONLY else manifests.c.digest
        steps.insert(0, and_(repositories.c.name == repository, column > digest))
    found: list[Listed] = []
    for step in steps:
        if len(found) < limit:
            keys = _keys(scope, step, tagged, indexes=indexes).limit(limit - len(found))
            found += _listed(connection, scope, keys.subquery())
    return found


def _keys(scope: Scope, step: ColumnElement[bool], tagged: Tagged, *, indexes: bool) -> Select[Any]:
    """Return the statement for the manifests of a page, by repository and digest.

    A name has one key: with both in it the order is that of the indexes, and nothing is sorted.
    """
    inside: list[ColumnElement[bool]] = [
        repositories.c.region == scope.region,
        repositories.c.namespace == scope.namespace,
    ]
    if scope.repositories:
        inside.append(repositories.c.name.in_(scope.repositories))
    of_kind: list[ColumnElement[bool]] = [] if indexes else [manifests.c.media_type.not_in(INDEXES)]
    if tagged is Tagged.ONLY:
        # Led by the tags: piles of untagged manifests cost nothing.
        query = (
            select(repositories.c.id, repositories.c.name, tags.c.digest)
            .join(tags, tags.c.repository_id == repositories.c.id)
            .group_by(repositories.c.name, repositories.c.id, tags.c.digest)
            .order_by(repositories.c.name, repositories.c.id, tags.c.digest)
        )
        if of_kind:
            query = query.join(manifests, _OF_MANIFEST)
        return query.where(*inside, step, *of_kind)
    if tagged is Tagged.NONE:
        of_kind.append(~exists().where(_OF_MANIFEST))
    return (
        select(repositories.c.id, repositories.c.name, manifests.c.digest)
        .join(manifests, manifests.c.repository_id == repositories.c.id)
        .where(*inside, step, *of_kind)
        .order_by(repositories.c.name, repositories.c.id, manifests.c.digest)
    )


def _listed(connection: Connection, scope: Scope, keys: Subquery) -> Sequence[Listed]:
    query = (
        select(
            keys.c.id.label("repository"),
            keys.c.name,
            manifests.c.digest,
            manifests.c.media_type,
            manifests.c.layers_size,
            func.length(manifests.c.content).label("length"),
            manifests.c.config,
            image_configs.c.created,
            image_configs.c.parent,
            image_configs.c.labels,
        )
        .select_from(keys)
        .join(
            manifests,
            and_(manifests.c.repository_id == keys.c.id, manifests.c.digest == keys.c.digest),
        )
        .outerjoin(image_configs, image_configs.c.digest == manifests.c.config)
        .order_by(keys.c.name, keys.c.digest)
    )
    rows = connection.execute(query).all()
    names, whole = _tags(connection, keys) if rows else ({}, len(rows))
    # The first is shown in any case, with as many tags as were read.
    shown = rows[: max(whole, 1)] if len(rows) > whole else rows
    return [_entry(scope, row, names.get((row.repository, row.digest), ())) for row in shown]


def _tags(
    connection: Connection, keys: Subquery
) -> tuple[dict[tuple[int, str], tuple[str, ...]], int]:
    """Return the tags by manifest, and of how many manifests they are surely all."""
    query = (
        select(keys.c.id, tags.c.digest, tags.c.name)
        .select_from(keys)
        .join(tags, and_(tags.c.repository_id == keys.c.id, tags.c.digest == keys.c.digest))
        .order_by(keys.c.name, keys.c.digest, tags.c.name)
        .limit(MOST_TAGS)
    )
    found: dict[tuple[int, str], list[str]] = {}
    count = 0
    for repository, digest, name in connection.execute(query):
        found.setdefault((repository, digest), []).append(name)
        count += 1
    names = {key: tuple(some) for key, some in found.items()}
    return names, (len(found) - 1 if count == MOST_TAGS else MOST_TAGS)


def _entry(scope: Scope, row: Any, names: tuple[str, ...]) -> Listed:
    return Listed(
        region=scope.region,
        repository=row.name,
        digest=row.digest,
        media_type=row.media_type,
        size=row.length if row.media_type in INDEXES else row.layers_size,
        config=row.config,
        created=row.created,
        parent=row.parent or "",
        labels=row.labels or "{}",
        tags=names,
    )
