"""A user's password: changed by the user, or set anew by the operator for who forgot it."""

from typing import Final

from wharfinger.identity import emails
from wharfinger.identity.model import (
    Caller,
    Credential,
    CredentialKind,
    CurrentPasswordWrong,
    User,
)
from wharfinger.identity.ports import Changes
from wharfinger.identity.service.administration import OPERATOR
from wharfinger.identity.service.authentication import Authenticator
from wharfinger.identity.service.desk import Desk, audit, unknown
from wharfinger_common.languages import Text


class OwnPasswords:
    """Use cases around the password of one user. Blocking.

    A new password ends what was signed in with the old one, tokens already issued too. API keys,
    registry tokens and single sign-on are not touched: none of them was made of the password.
    """

    def __init__(self, desk: Desk, authenticator: Authenticator) -> None:
        self._desk: Final = desk
        self._authenticator: Final = authenticator

    def change(self, caller: Caller, current: str, password: str, address: str) -> None:
        """Give the caller another password; ``address`` is the client's, for counting failures.

        Raises:
            CurrentPasswordWrong: ``current`` is not the caller's, or the caller has none.
            ValueInvalid: the new password is too short or too long.
            TooManyFailures, SignInBusy: not now.
        """
        with self._desk.store.reading() as records:
            user = records.user(caller.iam_id)
            known = records.password_credential(user.email) if user else None
        # Counted as a sign-in, so that a stolen token does not help to guess the password.
        if user is None or known is None:
            raise CurrentPasswordWrong
        shown = self._authenticator.password(user.email, current, address)
        if shown is None:
            raise CurrentPasswordWrong
        hashed = self._desk.passwords.hash(password)
        with self._desk.changing(caller.account) as changes:
            self._replace(changes, user, hashed, shown.id)
            audit(changes, caller, "user.password", user.iam_id)

    def operator_set(self, email: str, password: str) -> User:
        """Give a user a password, for the operator's command; return the user.

        Raises:
            NotFound: there is no such user.
            ValueInvalid: the password is too short or too long.
        """
        hashed = self._desk.passwords.hash(password)
        email = emails.normalise(email)
        with self._desk.store.writing() as changes:
            user = changes.user_by_email(email)
            if user is None:
                raise unknown(Text("user"), email)
            known = changes.password_credential(email)
            self._replace(changes, user, hashed, known[0].id if known else None)
            for account in changes.accounts_of(user.iam_id, self._desk.limit):
                operator = Caller(OPERATOR, account, "", operator=True)
                audit(changes, operator, "user.password", user.iam_id)
        self._desk.tokens.forget_credentials()
        return user

    def _replace(self, changes: Changes, user: User, hashed: str, old: str | None) -> None:
        # A new credential each time: tokens name the one that they were issued on.
        id_ = "password-" + self._desk.new_id()
        credential = Credential(id_, user.iam_id, CredentialKind.PASSWORD, 0)
        if not changes.replace_password(old, credential, hashed):
            raise CurrentPasswordWrong
