"""The look-ups of the fast path: their statements, what they find, and SQLite's way to run them.

One statement each, which reads the credential's epoch together with the content: a revoked token,
a moved tag, a namespace being deleted are seen at once. With `fastreads_postgres` this is the one
module that reads tables of several rooms (docs/adr/0003).
"""

import sqlite3
from collections.abc import Awaitable
from typing import Any, Final, NamedTuple, Protocol

_FROM: Final = """
FROM repositories r
JOIN namespaces n ON n.region = r.region AND n.name = r.namespace AND n.state = 'active'
"""
_EPOCH: Final = "(SELECT epoch FROM credentials WHERE id = :credential)"
_WHERE: Final = "WHERE r.region = :region AND r.name = :repository"

# The content of a HEAD is not read, only measured.
_MANIFEST: Final = f"""
SELECT {_EPOCH}, m.digest, m.media_type, length(m.content), {{content}}
{_FROM} {{tag}}
JOIN manifests m ON m.repository_id = r.id AND m.digest = {{digest}} AND m.damaged_at IS NULL
{_WHERE}
"""
_TAG: Final = "JOIN tags t ON t.repository_id = r.id AND t.name = :reference"
MANIFESTS: Final = {
    (by_tag, with_content): _MANIFEST.format(
        content="m.content" if with_content else "NULL",
        tag=_TAG if by_tag else "",
        digest="t.digest" if by_tag else ":reference",
    )
    for by_tag in (True, False)
    for with_content in (True, False)
}
BLOB: Final = f"""
SELECT {_EPOCH}, b.size, b.location, r.account_id
{_FROM}
JOIN repository_blobs l ON l.repository_id = r.id AND l.digest = :reference
JOIN blobs b ON b.digest = l.digest AND b.damaged_at IS NULL
{_WHERE}
"""
# Who is told that a blob exists must find it for a while. What is neither young nor needed by a
# manifest gets that time by the ordinary route, which may write. Most blobs are young or old and
# needed: the references are looked up only for the latter.
_HELD: Final = """
AND (l.linked_at > :young OR EXISTS (
    SELECT 1 FROM manifest_references f
    WHERE f.repository_id = l.repository_id AND f.child = l.digest AND f.kind = 'blob'
))
"""
BLOB_HEAD: Final = BLOB + _HELD

_NAMESPACE: Final = """
FROM namespaces WHERE region = :region AND name = :namespace AND state = 'active'
"""
OWNER: Final = f"SELECT {_EPOCH}, account_id {_NAMESPACE}"

Key = dict[str, str | int]
"""The parameters of a look-up."""


class FoundManifest(NamedTuple):
    """A manifest as stored; ``content`` is None where only its head was asked for."""

    epoch: int | None
    digest: str
    media_type: str
    size: int
    content: bytes | None


class FoundBlob(NamedTuple):
    """A blob's size in bytes, where the store keeps it, and whose repository it is in."""

    epoch: int | None
    size: int
    location: str
    account: str


class FoundOwner(NamedTuple):
    """Whose a namespace is."""

    epoch: int | None
    account: str


class ReadFailed(Exception):
    """The database does not answer now; the ordinary route knows what to do then."""


class FastReads(Protocol):
    """The look-ups of the fast path; cheap enough for the event loop.

    Raises:
        ReadFailed: by each.
    """

    def manifest(self, key: Key, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        """Return the manifest that ``key`` names, if it is there."""

    def blob(self, key: Key) -> FoundBlob | None:
        """Return the blob that ``key`` names, if that repository shows it."""

    def blob_head(self, key: Key) -> FoundBlob | None:
        """Return the blob, if a manifest needs it or it was linked after ``key["young"]``."""

    def owner(self, key: Key) -> FoundOwner | None:
        """Return whose ``key["namespace"]`` is, if it is an active one."""


class AwaitedReads(Protocol):
    """The same look-ups where the database is elsewhere."""

    def manifest(
        self, key: Key, *, by_tag: bool, with_content: bool
    ) -> Awaitable[FoundManifest | None]:
        """Return the manifest that ``key`` names, if it is there."""

    def blob(self, key: Key) -> Awaitable[FoundBlob | None]:
        """Return the blob that ``key`` names, if that repository shows it."""

    def blob_head(self, key: Key) -> Awaitable[FoundBlob | None]:
        """Return the blob, if a manifest needs it or it was linked after ``key["young"]``."""


class SqliteFastReads:
    """`FastReads` over a raw connection, used by one event loop only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run: Final = connection.execute

    def manifest(self, key: Key, *, by_tag: bool, with_content: bool) -> FoundManifest | None:
        """Return the manifest; see the port."""
        row = self._first(MANIFESTS[by_tag, with_content], key)
        return FoundManifest(*row) if row else None

    def blob(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = self._first(BLOB, key)
        return FoundBlob(*row) if row else None

    def blob_head(self, key: Key) -> FoundBlob | None:
        """Return the blob; see the port."""
        row = self._first(BLOB_HEAD, key)
        return FoundBlob(*row) if row else None

    def owner(self, key: Key) -> FoundOwner | None:
        """Return whose namespace it is; see the port."""
        row = self._first(OWNER, key)
        return FoundOwner(*row) if row else None

    def _first(self, statement: str, key: Key) -> Any:
        try:
            return self._run(statement, key).fetchone()
        except sqlite3.Error as error:
            raise ReadFailed from error
