"""Upload sessions and the commit of blobs in the database."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.expression import ClauseElement

from wharfinger.database.again import again, rerun
from wharfinger.database.dialect import insert, one_writer
from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.upload_ids import first_id, opened_at, tells_time
from wharfinger.registry.model.uploads import Pusher, Upload, UploadBusy, UploadLost, UploadUnknown
from wharfinger.registry.store.blobs import (
    HoldNamespace,
    add_blob,
    require_repository_row,
    stored_blob,
)
from wharfinger.registry.store.links import Charges, Shown, Uncounted, link_blob
from wharfinger.registry.tables import ended_uploads, uploads
from wharfinger_common.digests import Digest

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_COLUMNS: Final = (
    uploads.c.id,
    uploads.c.account_id,
    uploads.c.size,
    uploads.c.fence,
    uploads.c.leased_until,
    uploads.c.state,
)
_OWN: Final = and_(
    uploads.c.id == bindparam("asked_id"),
    uploads.c.region == bindparam("asked_region"),
    uploads.c.repository == bindparam("asked_repository"),
    uploads.c.subject == bindparam("asked_subject"),
)
_HELD: Final = and_(
    uploads.c.id == bindparam("held_id"),
    uploads.c.account_id == bindparam("held_account"),
    uploads.c.fence == bindparam("held_fence"),
)
# One row at most: whether the session has ended, and how it stands if not.
_FIND: Final = Prepared(
    lambda _: (
        select(literal(0, Integer), *_COLUMNS)
        .where(_OWN)
        .union_all(
            select(
                literal(1, Integer), ended_uploads.c.id, literal(""), *map(literal, (0, 0, 0.0, ""))
            ).where(ended_uploads.c.id == bindparam("asked_id"))
        )
    )
)


_MOVED: Final = ("size", "state", "fence", "leased_until", "touched_at")


def _alone(upload: BindParameter[str]) -> ColumnElement[None]:
    """Return what keeps other units from beginning or ending the session until this one ends.

    Only where units run side by side: neither sees what the other has not committed, and both
    would find nothing in their way. Statements that follow see what the other one committed.
    """
    return func.pg_advisory_xact_lock(func.hashtextextended(upload, 0))


def _new_row(connection: Connection) -> "sqlite.Insert | postgresql.Insert":
    new = insert(connection, uploads)
    if one_writer(connection):
        return new
    # The lock comes with the row, in one round trip.
    values = {each.name: bindparam(each.name, type_=each.type) for each in uploads.c}
    row = select(*values.values()).where(_alone(values["id"]).is_not(None))
    return new.from_select(list(values), row)


def _begin(connection: Connection) -> ClauseElement:
    begun = _new_row(connection)
    return begun.on_conflict_do_update(
        index_elements=[uploads.c.id],
        set_={name: begun.excluded[name] for name in _MOVED},
        where=_HELD,
    )


_OPEN: Final = Prepared(lambda connection: _new_row(connection).on_conflict_do_nothing())
# A row that is there already is this holder's own: it was slow and showed a sign of life before.
_BEGIN: Final = Prepared(_begin)
_HAS_ENDED: Final = Prepared(
    lambda _: select(ended_uploads.c.id).where(ended_uploads.c.id == bindparam("asked"))
)
_ACQUIRE: Final = Prepared(
    lambda _: (
        update(uploads)
        .where(
            _OWN,
            or_(
                uploads.c.leased_until <= bindparam("now"),
                uploads.c.leased_until == bindparam("own"),
            ),
        )
        .values(fence=uploads.c.fence + 1, leased_until=bindparam("until"))
        .returning(*_COLUMNS)
    )
)
_PROGRESS: Final = Prepared(
    lambda _: (
        update(uploads)
        .where(_HELD)
        .values(
            size=bindparam("new_size"),
            state=bindparam("new_state"),
            fence=uploads.c.fence + bindparam("raised"),
            leased_until=bindparam("until"),
            touched_at=bindparam("now"),
        )
    )
)
_END: Final = Prepared(lambda _: delete(uploads).where(_HELD))
_NOTE_END: Final = Prepared(
    lambda connection: insert(connection, ended_uploads).on_conflict_do_nothing()
)
_TAKE: Final = Prepared(lambda _: select(_alone(bindparam("asked", type_=uploads.c.id.type))))
# For a session that never had a row, and has none now.
_END_UNBEGUN: Final = Prepared(
    lambda connection: (
        insert(connection, ended_uploads)
        .from_select(
            ["id"],
            select(bindparam("asked", type_=ended_uploads.c.id.type)).where(
                ~exists().where(uploads.c.id == bindparam("asked"))
            ),
        )
        .on_conflict_do_nothing()
    )
)
_EXISTS: Final = Prepared(lambda _: select(uploads.c.id).where(uploads.c.id == bindparam("asked")))


class SqlUploadRecords:
    """Implements ``registry.ports.UploadRecords`` over a database."""

    def __init__(
        self,
        database: Database,
        hold_namespace: HoldNamespace,
        charges: Charges | None = None,
    ) -> None:
        self._database: Final = database
        self._hold_namespace: Final = hold_namespace
        self._charges: Final = charges or Uncounted()

    @again
    def find(self, pusher: Pusher, upload: str) -> Upload | None:
        """Return the session; see the port."""
        with self._database.looking() as connection:
            return _find(connection, pusher, upload)

    def acquire(
        self, pusher: Pusher, upload: str, now: float, until: float, opening: Upload | None = None
    ) -> Upload:
        """Take the session; see the port."""

        def take(*, uncertain: bool) -> Upload:
            # The lease that an unanswered commit gave is this caller's own.
            own = until if uncertain else now
            asked = _own(pusher, upload) | {"now": now, "own": own, "until": until}
            with self._database.writing(durable=False) as connection:
                row = _ACQUIRE.first(connection, **asked)
                if row is not None:
                    return Upload(*row)
                if opening is not None and _OPEN.changed(
                    connection, **_first_row(opening, pusher, now, until, 1)
                ):
                    _require_alive(connection, pusher, upload)
                    return replace(opening, fence=1, leased_until=until, opening=None)
                if _find(connection, pusher, upload) is None:
                    raise UploadUnknown(upload=upload, repository=pusher.repository)
                raise UploadBusy.of(upload)

        return rerun(take)

    @again
    def progress(self, upload: Upload, now: float, until: float, *, overtake: bool = False) -> None:
        """Acknowledge bytes; see the port."""
        raised = int(overtake)
        with self._database.writing(durable=False) as connection:
            if upload.opening is not None:
                row = _first_row(upload, upload.opening, now, until, upload.fence + raised)
                changed = _BEGIN.changed(connection, **_held(upload), **row)
                _require_alive(connection, upload.opening, upload.id)
            else:
                stands = {"new_size": upload.size, "new_state": upload.state, "raised": raised}
                lease = {"until": until, "now": int(now)}
                changed = _PROGRESS.changed(connection, **_held(upload), **stands, **lease)
            if not changed:
                raise UploadLost(upload=upload.id)

    def remove(self, upload: Upload) -> bool:
        """End the session; see the port."""

        def end(*, uncertain: bool) -> bool:
            with self._database.writing(durable=False) as connection:
                return _ended(connection, upload, uncertain=uncertain)

        return rerun(end)

    @again
    def expired(self, before: float, limit: int) -> Sequence[Upload]:
        """Return old sessions; see the port."""
        query = (
            select(*_COLUMNS)
            .where(uploads.c.touched_at < before, uploads.c.leased_until < before)
            .order_by(uploads.c.touched_at)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Upload(*row) for row in connection.execute(query)]

    def count(self) -> int:
        """Return how many sessions are open, for figures."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(uploads)) or 0

    @again
    def existing(self, ids: Collection[str]) -> Collection[str]:
        """Return the ids that have a session; see the port."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(uploads.c.id).where(uploads.c.id.in_(ids))))

    @again
    def forget_ended(self, before: float, limit: int) -> int:
        """Forget ended sessions; see the port."""
        oldest = (
            select(ended_uploads.c.id)
            .where(ended_uploads.c.id < first_id(before))
            .order_by(ended_uploads.c.id)
            .limit(limit)
        )
        with self._database.writing(durable=False) as connection:
            gone = delete(ended_uploads).where(ended_uploads.c.id.in_(oldest))
            return connection.execute(gone).rowcount

    @again
    def stored(self, digest: Digest) -> Blob | None:
        """Return a verified blob; see the port."""
        with self._database.looking() as connection:
            return stored_blob(connection, str(digest))

    def link(
        self, pusher: Pusher, account: str, blob: Blob, now: float, end: Upload | None
    ) -> None:
        """Make a new blob visible; see the port."""

        def show(*, uncertain: bool) -> None:
            with self._database.writing() as connection:
                add_blob(connection, blob, int(now))
                _end(connection, end, uncertain=uncertain)
                self._show(connection, pusher, account, blob, int(now), end)

        rerun(show)

    def link_stored(
        self, pusher: Pusher, account: str, digest: str, now: float, end: Upload | None
    ) -> bool:
        """Make a known blob visible; see the port."""

        def show(*, uncertain: bool) -> bool:
            with self._database.writing() as connection:
                blob = stored_blob(connection, digest, lock=True)
                if blob is None:
                    return False
                _end(connection, end, uncertain=uncertain)
                self._show(connection, pusher, account, blob, int(now), end)
                return True

        return rerun(show)

    def _show(
        self,
        connection: Connection,
        pusher: Pusher,
        account: str,
        blob: Blob,
        now: int,
        end: Upload | None,
    ) -> None:
        repository = require_repository_row(
            connection, self._hold_namespace, pusher.region, account, pusher.repository, now
        )
        upload = end.id if end is not None else ""
        push = (pusher.repository, pusher.subject)
        shown = Shown(pusher.region, account, blob.digest, blob.size, upload, push)
        link_blob(connection, self._charges, repository, shown, now)


def _end(connection: Connection, upload: Upload | None, *, uncertain: bool) -> None:
    if upload is not None and not _ended(connection, upload, uncertain=uncertain):
        raise UploadLost(upload=upload.id)


def _ended(connection: Connection, upload: Upload, *, uncertain: bool) -> bool:
    """End the session if it is still held; one that an ``uncertain`` run ended has ended."""
    if upload.opening is not None:
        if not one_writer(connection):
            _TAKE.run(connection, asked=upload.id)
        if _END_UNBEGUN.changed(connection, asked=upload.id):
            return True
    if _END.changed(connection, **_held(upload)):
        if tells_time(upload.id):
            _NOTE_END.run(connection, id=upload.id)
        return True
    return uncertain and _EXISTS.first(connection, asked=upload.id) is None


def _own(pusher: Pusher, upload: str) -> dict[str, str]:
    return {
        "asked_id": upload,
        "asked_region": pusher.region,
        "asked_repository": pusher.repository,
        "asked_subject": pusher.subject,
    }


def _held(upload: Upload) -> dict[str, str | int]:
    return {
        "held_id": upload.id,
        "held_account": upload.account,
        "held_fence": upload.fence,
    }


def _require_alive(connection: Connection, pusher: Pusher, upload: str) -> None:
    """Undo the unit if the session has ended, maybe while its new row waited for the old one.

    Asked when the row is there: what another unit ended before is seen by now.
    """
    if _HAS_ENDED.first(connection, asked=upload) is not None:
        raise UploadUnknown(upload=upload, repository=pusher.repository)


def _first_row(
    upload: Upload, pusher: Pusher, now: float, until: float, fence: int
) -> dict[str, str | int | float]:
    """Return the row of a session that begins."""
    return {
        "id": upload.id,
        "region": pusher.region,
        "account_id": upload.account,
        "repository": pusher.repository,
        "subject": pusher.subject,
        "size": upload.size,
        "leased_until": until,
        "fence": fence,
        "started_at": int(opened_at(upload.id)),
        "touched_at": int(now),
        "state": upload.state,
    }


def _find(connection: Connection, pusher: Pusher, upload: str) -> Upload | None:
    row = _FIND.first(connection, **_own(pusher, upload))
    if row is None:
        return None
    ended, *values = row
    if ended:
        raise UploadUnknown(upload=upload, repository=pusher.repository)
    return Upload(*values)
