"""Who the bearer of a token is, and in which accounts it may act."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from wharfinger.identity.model import Account, Claims, TokenInvalid
from wharfinger.identity.ports import Records, Store
from wharfinger_common.languages import Text

MOST: Final = 1000
"""Accounts that are told of one user."""


class Bearer(Struct, frozen=True):
    """A user or a service id; ``name`` is the e-mail of the one, the name of the other.

    ``account`` is the one that the token is bound to, '' for none; ``accounts`` those that a
    token could be bound to.
    """

    iam_id: str
    name: str
    is_user: bool
    account: str
    accounts: Sequence[Account]


class WhoAmI:
    """Answers from one consistent view of the store. Blocking."""

    def __init__(self, store: Store) -> None:
        self._store: Final = store

    def bearer(self, claims: Claims) -> Bearer:
        """Return whose token it is.

        Raises:
            TokenInvalid: the subject is gone.
        """
        with self._store.reading() as records:
            credential = records.credential(claims.credential)
            bound = credential.account if credential else ""
            user = records.user(claims.subject)
            if user is not None:
                ids = [bound] if bound else records.accounts_of(user.iam_id, MOST)
                accounts = _accounts(records, ids)
                return Bearer(user.iam_id, user.email, True, claims.account, accounts)
            service_id = records.service_id(claims.account, claims.subject)
            if service_id is None:
                raise TokenInvalid(reason=Text("its subject no longer exists"))
            accounts = _accounts(records, [service_id.account])
            return Bearer(service_id.iam_id, service_id.name, False, claims.account, accounts)


def _accounts(records: Records, ids: Sequence[str]) -> Sequence[Account]:
    return [found for one in ids if (found := records.account(one)) is not None]
