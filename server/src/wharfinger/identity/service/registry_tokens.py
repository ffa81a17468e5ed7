"""Registry tokens: passwords for ``docker login -u token``, of an account in one region."""

from collections.abc import Sequence
from typing import Final

from wharfinger.identity import token_form
from wharfinger.identity.model import TOKEN_SUBJECT, Caller, StoredToken
from wharfinger.identity.ports import Page
from wharfinger.identity.secrets import Seal
from wharfinger.identity.service.desk import MAX_DESCRIPTION, Desk, audit, require_text, unknown
from wharfinger.identity.token_form import LookUp
from wharfinger_common.languages import Text

LIFE_SECONDS: Final = 86_400
"""How long a registry token lives that is not made to last."""

OPERATOR: Final = "operator"
_PURPOSE: Final = "registry token"
_KIND: Final = "registry tokens"
_BATCH: Final = 1000


class RegistryTokens:
    """Use cases around registry tokens, for Managers of the account. Blocking.

    A token acts for itself: it outlives the role of who made it, until it ends or is removed.
    """

    def __init__(self, desk: Desk, seal: Seal, look_up: LookUp) -> None:
        self._desk = desk
        self._seal = seal
        self._look_up = look_up

    def create(
        self, caller: Caller, description: str = "", *, write: bool = False, lasting: bool = False
    ) -> tuple[StoredToken, str]:
        """Return a new token with its secret; one that is not ``lasting`` ends after a day.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            ValueInvalid, LimitReached.
        """
        description = require_text("description", description, MAX_DESCRIPTION, empty=True)
        now = self._desk.now
        token = StoredToken(
            id=TOKEN_SUBJECT + self._desk.new_id(),
            account=caller.account,
            region=caller.region,
            read_only=not write,
            description=description,
            made_by=caller.iam_id,
            created_at=now,
            ends=0 if lasting else now + LIFE_SECONDS,
        )
        secret = token_form.generate(token.id, token.ends)
        sealed = self._seal.close(secret.encode(), _PURPOSE)
        with self._desk.managing(caller) as changes:
            self._desk.require_room(changes, caller.account, _KIND)
            changes.add_registry_token(token, self._look_up.hash(secret), sealed)
            facts = {"read_only": token.read_only, "ends": token.ends, "region": token.region}
            audit(changes, caller, "token.create", token.id, **facts)
        return token, secret

    def list(self, caller: Caller, page: Page) -> Sequence[StoredToken]:
        """Return a page of the account's tokens in the caller's region, without their secrets.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        with self._desk.viewing(caller) as records:
            return records.registry_tokens(caller.account, caller.region, page)

    def get(self, caller: Caller, token: str) -> tuple[StoredToken, str]:
        """Return one token with its secret.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            NotFound: the account has no such token in the region.
        """
        with self._desk.viewing(caller) as records:
            found = records.registry_token(caller.account, caller.region, token)
        if found is None:
            raise unknown(Text("registry token"), token)
        return found[0], self._seal.open(found[1], _PURPOSE).decode()

    def delete(self, caller: Caller, token: str) -> None:
        """Revoke a token: it and what was issued on it end.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            NotFound: the account has no such token in the region.
        """
        with self._desk.managing(caller) as changes:
            gone = changes.remove_registry_tokens(caller.account, caller.region, token=token)
            if not gone:
                raise unknown(Text("registry token"), token)
            audit(changes, caller, "token.delete", token, region=caller.region)

    def delete_described(self, caller: Caller, description: str) -> int:
        """Revoke all tokens of a description, '' for those without any; return how many.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        with self._desk.managing(caller) as changes:
            gone = changes.remove_registry_tokens(
                caller.account, caller.region, description=description
            )
            for token in gone:
                audit(changes, caller, "token.delete", token, region=caller.region)
        return len(gone)

    def expire(self) -> int:
        """Remove a batch of tokens that have ended; call again while it is not 0."""
        with self._desk.store.writing() as changes:
            gone = changes.remove_ended_tokens(self._desk.now, _BATCH)
            for token, account in gone:
                audit(changes, Caller(OPERATOR, account, "", operator=True), "token.end", token)
        return len(gone)
