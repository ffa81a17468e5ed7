"""Counting anew what accounts store, from what their repositories show."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, func, insert, literal, select, text, union

from wharfinger.database.unit import Database
from wharfinger.quotas.model import Holder
from wharfinger.quotas.store.accounts import change_stored, lock
from wharfinger.quotas.tables import account_blobs, account_usage
from wharfinger.registry.tables import blobs, repositories, repository_blobs

_COLUMNS: Final = ("region", "account_id", "digest", "size", "links")


def recount(database: Database, clock: Callable[[], float], keep: Callable[[], None]) -> None:
    """Count what every account stores, account by account; ``keep`` is called before each.

    May be run at any time, and again after any part. Where units run side by side, pushes and
    deletions wait while one account is counted.
    """
    seen = select(repositories.c.region, repositories.c.account_id)
    known = select(account_usage.c.region, account_usage.c.account_id)
    with database.reading() as connection:
        holders = [Holder(*row) for row in connection.execute(union(seen, known))]
    for holder in sorted(holders):
        keep()
        with database.writing() as connection:
            _recount(connection, holder, clock())


def _recount(connection: Connection, holder: Holder, now: float) -> None:
    if connection.dialect.name == "postgresql":
        # A link that is being made elsewhere would not be seen, nor what it counts be kept.
        connection.execute(text("LOCK TABLE repository_blobs IN SHARE ROW EXCLUSIVE MODE"))
    table = account_blobs.c
    own = (table.region == holder.region, table.account_id == holder.account)
    connection.execute(delete(account_blobs).where(*own))
    shown = (
        select(
            literal(holder.region),
            literal(holder.account),
            blobs.c.digest,
            blobs.c.size,
            func.count(),
        )
        .select_from(repositories)
        .join(repository_blobs, repository_blobs.c.repository_id == repositories.c.id)
        .join(blobs, blobs.c.digest == repository_blobs.c.digest)
        .where(repositories.c.region == holder.region, repositories.c.account_id == holder.account)
        .group_by(blobs.c.digest, blobs.c.size)
    )
    connection.execute(insert(account_blobs).from_select(_COLUMNS, shown))
    stored = connection.scalar(select(func.coalesce(func.sum(table.size), 0)).where(*own))
    before = lock(connection, holder, now).stored.stored
    change_stored(connection, holder, int(stored or 0) - before, now)
