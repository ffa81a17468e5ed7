"""Blobs and their links to repositories in the database."""

from collections.abc import Collection, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select, update

from wharfinger.database.again import again
from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.blobs import Blob, BlobReferenced, BlobUnknown
from wharfinger.registry.model.collection import Reason
from wharfinger.registry.store.discards import Bytes, discard_bytes
from wharfinger.registry.store.links import NEEDED, Charges, Uncounted, touch_link, unlink_blob
from wharfinger.registry.tables import blobs, manifest_references, repositories, repository_blobs
from wharfinger_common.names import namespace_of

_BLOB: Final = (
    blobs.c.digest,
    blobs.c.size,
    blobs.c.location,
    blobs.c.damaged_at.is_not(None).label("damaged"),
    blobs.c.seal,
)
"""As `Blob` takes them."""
_LINKED: Final = repositories.join(
    repository_blobs, repository_blobs.c.repository_id == repositories.c.id
).join(blobs, blobs.c.digest == repository_blobs.c.digest)


_STORED: Final = select(*_BLOB).where(
    blobs.c.digest == bindparam("asked"), blobs.c.damaged_at.is_(None)
)
_STORED_BLOB: Final = Prepared(lambda _: _STORED)
_LOCKED_BLOB: Final = Prepared(lambda _: _STORED.with_for_update(read=True, key_share=True))
_ADD_BLOB: Final = Prepared(lambda connection: insert(connection, blobs).on_conflict_do_nothing())
_REPOSITORY: Final = Prepared(
    lambda _: select(repositories.c.id).where(
        repositories.c.region == bindparam("asked_region"),
        repositories.c.name == bindparam("asked_name"),
        repositories.c.account_id == bindparam("asked_account"),
    )
)


_SHOWN: Final = and_(
    repositories.c.region == bindparam("asked_region"),
    repositories.c.name == bindparam("asked_name"),
    repository_blobs.c.digest == bindparam("asked"),
)
_FIND: Final = Prepared(
    lambda _: select(*_BLOB, repositories.c.account_id).select_from(_LINKED).where(_SHOWN)
)
_HOLD: Final = Prepared(
    lambda _: (
        select(
            *_BLOB,
            repositories.c.id,
            or_(repository_blobs.c.linked_at > bindparam("young"), NEEDED),
        )
        .select_from(_LINKED)
        .where(_SHOWN)
    )
)


class HoldNamespace(Protocol):
    """Keeps a namespace from being removed while a transaction adds something to it."""

    def __call__(self, connection: Connection, region: str, name: str) -> str | None:
        """Return the account that owns the active namespace, None if there is none.

        Where the database locks rows, the row stays as it is until the transaction ends.
        """


class NoteFence(Protocol):
    """Writes down that a blob was fenced, in the unit that fences it."""

    def __call__(self, connection: Connection, digest: str, what: str, now: int) -> None:
        """Write it down; ``what`` was wrong with it (Unix seconds)."""


class SqlBlobRecords:
    """Implements ``registry.ports.BlobRecords`` over a database."""

    def __init__(
        self,
        database: Database,
        charges: Charges | None = None,
        fenced: NoteFence = lambda *_: None,
    ) -> None:
        self._database: Final = database
        self._charges: Final = charges or Uncounted()
        self._fenced: Final = fenced

    @again
    def find(self, region: str, repository: str, digest: str) -> Blob | None:
        """Return the blob if the repository shows it; see the port."""
        with self._database.looking() as connection:
            row = _FIND.first(connection, **_asked(region, repository, digest))
        if row is None:
            return None
        digest, size, location, damaged, seal, account = row
        return Blob(digest, size, location, bool(damaged), seal, account, repository)

    def hold(self, region: str, repository: str, digest: str, young: int, now: int) -> Blob | None:
        """Return the blob, its grace begun anew if it needs one; see the port."""
        with self._database.looking() as connection:
            row = _HOLD.first(connection, **_asked(region, repository, digest), young=young)
        if row is None:
            return None
        *told, key, safe = row
        if not safe:
            with self._database.writing() as connection:
                # Collected between both units: then it is not there.
                if not touch_link(connection, key, digest, now):
                    return None
        return _blob(told)

    @again
    def showing(
        self, region: str, names: Collection[str], digest: str
    ) -> Sequence[tuple[str, Blob]]:
        """Return the repositories that show the blob; see the port."""
        query = (
            select(repositories.c.name, *_BLOB)
            .select_from(_LINKED)
            .where(
                repositories.c.region == region,
                repositories.c.name.in_(names),
                repository_blobs.c.digest == digest,
            )
            .order_by(repositories.c.name)
        )
        with self._database.reading() as connection:
            return [(name, _blob(told)) for name, *told in connection.execute(query)]

    @again
    def repositories_of(self, region: str, account: str, digest: str, limit: int) -> Sequence[str]:
        """Return the account's repositories that show the blob; see the port."""
        query = (
            select(repositories.c.name)
            .select_from(_LINKED)
            .where(
                repositories.c.region == region,
                repositories.c.account_id == account,
                repository_blobs.c.digest == digest,
            )
            .order_by(repositories.c.name)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    @again
    def fence(self, blob: Blob, what: str, now: int) -> bool:
        """Let the blob count as missing; see the port. Whoever comes second changes nothing."""
        same = _same(blob.digest, blob.location)
        sound = and_(same, blobs.c.damaged_at.is_(None))
        with self._database.writing() as connection:
            if connection.execute(update(blobs).where(sound).values(damaged_at=now)).rowcount:
                self._fenced(connection, blob.digest, what, now)
                return True
            return connection.scalar(select(exists().where(same))) is True

    def seal(self, blob: Blob, seal: str) -> None:
        """Take note by what right bytes are known now; see the port."""
        with self._database.writing() as connection:
            seal_blob(connection, blob.digest, blob.location, seal)

    def unlink(self, region: str, repository: str, digest: str) -> None:
        """Take the blob out of the repository; see the port."""
        with self._database.writing() as connection:
            found = _locked_link(connection, region, repository, digest)
            if found is None:
                raise BlobUnknown(digest=digest, repository=repository)
            if connection.scalar(select(exists().where(_referenced(found, digest)))):
                raise BlobReferenced(digest=digest, repository=repository)
            unlink_blob(connection, self._charges, found, digest)


def mark_blob(connection: Connection, digest: str, location: str, damaged_at: int | None) -> bool:
    """Fence a blob (Unix seconds), or serve it again (None); False if it has other bytes by now."""
    statement = update(blobs).where(_same(digest, location)).values(damaged_at=damaged_at)
    return connection.execute(statement).rowcount > 0


def seal_blob(connection: Connection, digest: str, location: str, seal: str) -> None:
    """Take note by what the bytes at the location are known, if the blob still has them."""
    connection.execute(update(blobs).where(_same(digest, location)).values(seal=seal))


def _same(digest: str, location: str) -> ColumnElement[bool]:
    return and_(blobs.c.digest == digest, blobs.c.location == location)


def stored_blob(connection: Connection, digest: str, *, lock: bool = False) -> Blob | None:
    """Return the blob's row; ``lock`` keeps it from being collected until the unit ends.

    One whose bytes are known to be damaged counts as not stored: whoever pushes it heals it.
    """
    row = (_LOCKED_BLOB if lock else _STORED_BLOB).first(connection, asked=digest)
    return None if row is None else _blob(row)


def add_blob(connection: Connection, blob: Blob, now: int) -> None:
    """Add the row of a verified blob, or tell the one that stands where its bytes lie now.

    Those that it had before are discarded: they may be damaged, the new ones were just verified.
    """
    row = {
        "digest": blob.digest,
        "size": blob.size,
        "location": blob.location,
        "seal": blob.seal,
    }
    while not _ADD_BLOB.changed(connection, **row, created_at=now, damaged_at=None):
        # Where units run side by side, the row that was in the way may be gone by now.
        if _replace_bytes(connection, blob, now):
            return


def _replace_bytes(connection: Connection, blob: Blob, now: int) -> bool:
    found = select(blobs.c.location, blobs.c.size).where(blobs.c.digest == blob.digest)
    former = connection.execute(found.with_for_update()).first()
    if former is None:
        return False
    new = {
        "size": blob.size,
        "location": blob.location,
        "seal": blob.seal,
        "damaged_at": None,
    }
    connection.execute(update(blobs).where(blobs.c.digest == blob.digest).values(new))
    if former.location != blob.location:
        discard_bytes(connection, [Bytes(*former)], Reason.REPLACED, now)
    return True


def require_repository_row(
    connection: Connection,
    hold_namespace: HoldNamespace,
    region: str,
    account: str,
    name: str,
    now: int,
) -> int:
    """Return the key of the repository's row, added if there is none.

    Raises:
        NamespaceUnknown: the namespace is not (or no longer) an active one of the account.
    """
    namespace = namespace_of(name)
    if hold_namespace(connection, region, namespace) != account:
        raise NamespaceUnknown(namespace=namespace)
    asked = {"asked_region": region, "asked_name": name, "asked_account": account}
    found = _REPOSITORY.first(connection, **asked)
    if found is None:
        statement = insert(connection, repositories).values(
            region=region, account_id=account, namespace=namespace, name=name, created_at=now
        )
        connection.execute(statement.on_conflict_do_nothing())
        found = _REPOSITORY.first(connection, **asked)
    if found is None:
        # The namespace changed hands and the former owner's repository is not yet emptied.
        raise NamespaceUnknown(namespace=namespace)
    return int(found[0])


def _locked_link(connection: Connection, region: str, name: str, digest: str) -> int | None:
    """Return the repository's key if it shows the blob; manifests that need it wait meanwhile."""
    query = (
        select(repositories.c.id)
        .join(repository_blobs, repository_blobs.c.repository_id == repositories.c.id)
        .where(_in(region, name), repository_blobs.c.digest == digest)
        .with_for_update(of=repository_blobs)
    )
    return connection.scalar(query)


def _asked(region: str, repository: str, digest: str) -> dict[str, str]:
    return {"asked_region": region, "asked_name": repository, "asked": digest}


def _in(region: str, name: str) -> ColumnElement[bool]:
    return and_(repositories.c.region == region, repositories.c.name == name)


def _referenced(repository: int, digest: str) -> ColumnElement[bool]:
    return and_(
        manifest_references.c.repository_id == repository,
        manifest_references.c.child == digest,
        manifest_references.c.kind == "blob",
    )


def _blob(told: Sequence[Any]) -> Blob:
    digest, size, location, damaged, seal = told
    return Blob(digest, size, location, bool(damaged), seal)
