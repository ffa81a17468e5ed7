"""The distinct blobs of accounts, each with the number of repositories that show it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, select, update
from sqlalchemy.sql.dml import Insert

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.quotas.model import Holder
from wharfinger.quotas.tables import account_blobs

_BLOBS: Final = account_blobs.c


def _adding(connection: Connection) -> Insert:
    return (
        insert(connection, account_blobs)
        .on_conflict_do_update(
            index_elements=["region", "account_id", "digest"], set_={"links": _BLOBS.links + 1}
        )
        .returning(_BLOBS.links)
    )


_ADD: Final = Prepared(_adding)
_FIND: Final = Prepared(
    lambda _: select(_BLOBS.links).where(
        _BLOBS.region == bindparam("asked_region"),
        _BLOBS.account_id == bindparam("asked_account"),
        _BLOBS.digest == bindparam("asked_digest"),
    )
)


def has(connection: Connection, holder: Holder, digest: str) -> bool:
    """Whether the account has the blob in the region already, so that another link is free."""
    asked = {"asked_region": holder.region, "asked_account": holder.account}
    return _FIND.first(connection, **asked, asked_digest=digest) is not None


def add(connection: Connection, holder: Holder, digest: str, size: int) -> bool:
    """Count a link; return whether it is the account's first to the blob."""
    row = _ADD.first(
        connection,
        region=holder.region,
        account_id=holder.account,
        digest=digest,
        size=size,
        links=1,
    )
    return row is not None and row[0] == 1


def remove(connection: Connection, holder: Holder, counts: Mapping[str, int]) -> int:
    """Take as many links from each blob as stands with it; return the bytes of what has none left.

    ``counts`` holds a few hundred blobs at most.
    """
    own = and_(_BLOBS.region == holder.region, _BLOBS.account_id == holder.account)
    these = and_(own, _BLOBS.digest.in_(counts))
    # In one order, so that two units never wait for each other.
    connection.execute(select(_BLOBS.digest).where(these).order_by(_BLOBS.digest).with_for_update())
    for count in set(counts.values()):
        some = _BLOBS.digest.in_([digest for digest, one in counts.items() if one == count])
        less = update(account_blobs).where(own, some).values(links=_BLOBS.links - count)
        connection.execute(less)
    gone = delete(account_blobs).where(these, _BLOBS.links <= 0).returning(_BLOBS.size)
    return sum(connection.scalars(gone))
