"""Pushes that began below a lenient limit, which may finish beyond it.

Docker opens an upload for each layer and for the config, most of them when others have reached
the limit; the image that they belong to began before. Which one that is nobody says before its
manifest comes. So a push is who pushes where, as long as one upload follows the other without a
pause, and until a tag is set; `MAX_UPLOADS` bounds what it may open beyond the limit.
"""

from typing import Any, Final

from sqlalchemy import Connection, Float, and_, bindparam, delete, select, update
from sqlalchemy.sql.dml import Insert

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.quotas.model import Holder, Pushing
from wharfinger.quotas.tables import quota_pushes

MAX_UPLOADS: Final = 128
"""The layers that Docker lets an image have, and its config."""

_KEPT_SECONDS: Final = 86_400.0
_ROWS: Final = quota_pushes.c
_PUSH: Final = and_(
    _ROWS.region == bindparam("asked_region"),
    _ROWS.account_id == bindparam("asked_account"),
    _ROWS.repository == bindparam("asked_repository"),
    _ROWS.subject == bindparam("asked_subject"),
)
_OPEN: Final = and_(_PUSH, _ROWS.until > bindparam("now", type_=Float), _ROWS.uploads < MAX_UPLOADS)
_FIND: Final = Prepared(lambda _: select(_ROWS.until).where(_OPEN))
_GO_ON: Final = Prepared(
    lambda _: (
        update(quota_pushes)
        .where(_OPEN)
        .values(until=bindparam("new_until", type_=Float), uploads=_ROWS.uploads + 1)
    )
)
_KEEP: Final = Prepared(
    lambda _: update(quota_pushes).where(_PUSH).values(until=bindparam("new_until", type_=Float))
)


def _setting(connection: Connection) -> Insert:
    statement = insert(connection, quota_pushes)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["region", "account_id", "repository", "subject"],
        set_={"until": new.until, "uploads": new.uploads},
    )


_SET: Final = Prepared(_setting)


def begin(connection: Connection, holder: Holder, push: Pushing, until: float) -> None:
    """Let a push whose upload begins below the limit go on beyond it, until a time."""
    _SET.run(
        connection,
        region=holder.region,
        account_id=holder.account,
        repository=push.repository,
        subject=push.subject,
        until=until,
        uploads=0,
    )


def may_go_on(connection: Connection, holder: Holder, push: Pushing, now: float) -> bool:
    """Whether the push may open another upload beyond the limit."""
    return _FIND.first(connection, **_asked(holder, push), now=now) is not None


def go_on(connection: Connection, holder: Holder, push: Pushing, now: float, until: float) -> bool:
    """Count another upload beyond the limit; False if the push may have none."""
    asked = _asked(holder, push)
    return _GO_ON.changed(connection, **asked, now=now, new_until=until) > 0


def keep(connection: Connection, holder: Holder, push: Pushing, until: float) -> None:
    """Let the push go on: an upload of it that was let begin has ended well."""
    _KEEP.run(connection, **_asked(holder, push), new_until=until)


def end(connection: Connection, holder: Holder, repository: str = "") -> None:
    """End the pushes to a repository where a tag was set; all of the account for ''."""
    own = and_(_ROWS.region == holder.region, _ROWS.account_id == holder.account)
    these = and_(own, _ROWS.repository == repository) if repository else own
    connection.execute(delete(quota_pushes).where(these))


def drop_lapsed(connection: Connection, now: float) -> None:
    """Remove what counts no more."""
    connection.execute(delete(quota_pushes).where(_ROWS.until < now - _KEPT_SECONDS))


def _asked(holder: Holder, push: Pushing) -> dict[str, Any]:
    return {
        "asked_region": holder.region,
        "asked_account": holder.account,
        "asked_repository": push.repository,
        "asked_subject": push.subject,
    }
