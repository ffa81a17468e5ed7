"""One-time passcodes: what a page shows after sign-in and a command line signs in with."""

import hashlib
import secrets
from typing import Final

from wharfinger.identity.emails import normalise
from wharfinger.identity.model import (
    Credential,
    CredentialKind,
    CredentialsWrong,
    PersonUnknown,
)
from wharfinger.identity.ports import Store
from wharfinger.identity.service.authentication import Authenticator
from wharfinger.identity.service.throttle import Throttle

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowels, so no words; nothing that looks like another."""
CHARACTERS: Final = 12
GROUP: Final = 4
_SSO: Final = "sso-"


class Passcodes:
    """Gives and takes passcodes; each counts once, for ``seconds``, and only the newest. Blocking.

    A passcode has 57 bits of chance and few minutes to live, and attempts are counted for each
    address: a plain hash of it is all that is kept.
    """

    def __init__(
        self, store: Store, authenticator: Authenticator, throttle: Throttle, seconds: int
    ) -> None:
        self._store: Final = store
        self._authenticator: Final = authenticator
        self._throttle: Final = throttle
        self.seconds: Final = seconds

    def by_password(self, email: str, password: str, address: str) -> str:
        """Return a passcode for the user with this e-mail and password.

        Raises:
            CredentialsWrong: they do not fit.
            TooManyFailures, SignInBusy: not now.
        """
        credential = self._authenticator.password(email, password, address)
        if credential is None:
            raise CredentialsWrong
        return self._given(credential)

    def by_email(self, email: str) -> str:
        """Return a passcode for the user with an e-mail that a trusted provider vouches for.

        Raises:
            PersonUnknown: nobody added a user with this e-mail.
        """
        with self._store.reading() as records:
            user = records.user_by_email(normalise(email))
            if user is None:
                raise PersonUnknown(email=email[:254])
            known = records.credential(_SSO + user.iam_id)
        credential = known or Credential(_SSO + user.iam_id, user.iam_id, CredentialKind.SSO, 0)
        if known is None:
            with self._store.writing() as changes:
                changes.add_credential(credential)
        return self._given(credential)

    def redeem(self, code: str, address: str) -> Credential | None:
        """Return the credential behind a passcode and end the passcode; None if there is none.

        Raises:
            TooManyFailures: this passcode, or this address, failed too often.
        """
        sha256 = _hash(plain(code))
        subject = "passcode:" + sha256.hex()
        with self._store.reading() as records:
            failed_before = self._throttle.admit(records, subject, address)
        found = None
        if is_passcode(code):
            with self._store.writing() as changes:
                found = changes.take_passcode(sha256, self._throttle.now)
        known = found is not None
        self._throttle.settle(subject, address, succeeded=known, failed_before=failed_before)
        return found

    def _given(self, credential: Credential) -> str:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
        now = self._throttle.now
        with self._store.writing() as changes:
            changes.add_passcode(_hash(code), credential.id, now + self.seconds, now)
        return shown(code)


def shown(code: str) -> str:
    """Return a passcode in groups, as people read it."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def plain(code: str) -> str:
    """Return a passcode as people may type it, in the form that is hashed."""
    return "".join(each for each in code.upper() if each not in "- \t")


def is_passcode(code: str) -> bool:
    """Whether ``code`` has the form of a passcode."""
    text = plain(code)
    return len(text) == CHARACTERS and all(each in ALPHABET for each in text)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).digest()
