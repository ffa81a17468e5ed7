"""Registry tokens in the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, delete, or_, select

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.identity.model import (
    TOKEN_SUBJECT,
    Credential,
    CredentialKind,
    Role,
    StoredToken,
)
from wharfinger.identity.ports import Page
from wharfinger.identity.tables import credentials, registry_tokens

_TOKENS: Final = registry_tokens.c
_BY_SECRET: Final = Prepared(
    lambda _: (
        select(credentials.c.id, credentials.c.epoch, _TOKENS.account_id, _TOKENS.ends)
        .join(registry_tokens, _TOKENS.id == credentials.c.id)
        .where(
            _TOKENS.secret_hmac == bindparam("asked"),
            _TOKENS.region == bindparam("in_region"),
            or_(_TOKENS.ends == 0, _TOKENS.ends > bindparam("now", type_=_TOKENS.ends.type)),
        )
    )
)
_SHOWN: Final = (
    _TOKENS.id,
    _TOKENS.account_id,
    _TOKENS.region,
    _TOKENS.read_only,
    _TOKENS.description,
    _TOKENS.made_by,
    _TOKENS.created_at,
    _TOKENS.ends,
)


class TokenRecords:
    """What `SqlRecords` reads of registry tokens."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def token_by_secret(self, hmac: bytes, region: str, now: int) -> Credential | None:
        """Return the credential of the token of this hash that has not ended; see the port."""
        row = _BY_SECRET.first(self._connection, asked=hmac, in_region=region, now=now)
        if row is None:
            return None
        token, epoch, account, ends = row
        return Credential(token, token, CredentialKind.REGISTRY_TOKEN, epoch, account, ends)

    def registry_token(
        self, account: str, region: str, token: str
    ) -> tuple[StoredToken, bytes] | None:
        """Return one token of the account in the region, and its sealed secret; see the port."""
        query = select(*_SHOWN, _TOKENS.sealed).where(_own(account, region), _TOKENS.id == token)
        row = self._connection.execute(query).first()
        return None if row is None else (_token(row), row.sealed)

    def registry_tokens(self, account: str, region: str, page: Page) -> Sequence[StoredToken]:
        """Return a page of the account's tokens in the region, by id; see the port."""
        query = select(*_SHOWN).where(_own(account, region), _TOKENS.id > page.start)
        ordered = query.order_by(_TOKENS.id).limit(page.limit)
        return [_token(row) for row in self._connection.execute(ordered)]

    def _token_roles(
        self, account: str, subjects: Collection[str], region: str
    ) -> Mapping[str, frozenset[Role]]:
        """Return what those of the subjects that are tokens have in the region; '' for any."""
        tokens = [subject for subject in subjects if subject.startswith(TOKEN_SUBJECT)]
        if not tokens:
            return {}
        query = select(*_SHOWN).where(_own(account, region), _TOKENS.id.in_(tokens))
        found = map(_token, self._connection.execute(query))
        return {token.id: frozenset({token.role}) for token in found}


class TokenChanges(TokenRecords):
    """What `SqlChanges` writes of registry tokens."""

    def add_registry_token(self, token: StoredToken, hmac: bytes, sealed: bytes) -> None:
        """Add a token and its credential; see the port."""
        self._connection.execute(
            insert(self._connection, credentials).values(
                id=token.id,
                iam_id=token.id,
                kind=CredentialKind.REGISTRY_TOKEN.value,
                epoch=0,
            )
        )
        self._connection.execute(
            insert(self._connection, registry_tokens).values(
                id=token.id,
                region=token.region,
                account_id=token.account,
                secret_hmac=hmac,
                sealed=sealed,
                read_only=token.read_only,
                description=token.description,
                made_by=token.made_by,
                created_at=token.created_at,
                ends=token.ends,
            )
        )

    def remove_registry_tokens(
        self, account: str, region: str, *, token: str = "", description: str = ""
    ) -> Sequence[str]:
        """Remove the token of an id, or all of a description; see the port."""
        which = _TOKENS.id == token if token else _TOKENS.description == description
        return self._remove_tokens(and_(_own(account, region), which))

    def remove_ended_tokens(self, now: int, limit: int) -> Sequence[tuple[str, str]]:
        """Remove tokens that have ended; see the port."""
        ended = and_(_TOKENS.ends > 0, _TOKENS.ends <= now)
        query = select(_TOKENS.id, _TOKENS.account_id).where(ended).order_by(_TOKENS.id)
        found = [(row.id, row.account_id) for row in self._connection.execute(query.limit(limit))]
        self._remove_tokens(_TOKENS.id.in_([token for token, _ in found]))
        return found

    def _remove_tokens(self, condition: Any) -> Sequence[str]:
        gone = delete(registry_tokens).where(condition).returning(_TOKENS.id)
        ids = list(self._connection.scalars(gone))
        if ids:
            self._connection.execute(delete(credentials).where(credentials.c.id.in_(ids)))
        return ids


def _own(account: str, region: str) -> Any:
    return and_(_TOKENS.account_id == account, _TOKENS.region == region)


def _token(row: Row[*tuple[Any, ...]]) -> StoredToken:
    return StoredToken(*row[: len(_SHOWN)])
