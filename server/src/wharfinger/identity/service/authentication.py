"""Who presents this secret: API keys, passwords, IAM tokens and refresh tokens."""

from typing import Final

from wharfinger.identity import keys
from wharfinger.identity.emails import normalise
from wharfinger.identity.model import (
    ANONYMOUS,
    Claims,
    Credential,
    CredentialKind,
    RefreshExpired,
    RefreshInvalid,
    TokenExpired,
    TokenInvalid,
    TokenType,
)
from wharfinger.identity.passwords import Passwords
from wharfinger.identity.ports import Records, Store
from wharfinger.identity.service.last_use import LastUse
from wharfinger.identity.service.throttle import Throttle
from wharfinger.identity.service.tokens import IAM_AUDIENCE, TokenService
from wharfinger.identity.token_form import LookUp, well_formed

ANONYMOUS_CREDENTIAL: Final = Credential(ANONYMOUS, ANONYMOUS, CredentialKind.ANONYMOUS, 0)


class Authenticator:
    """Finds the credential behind what a client presents; any thread may call, all of it blocks.

    Failed attempts are counted, for the subject and for ``address``, the client's.
    """

    def __init__(
        self,
        store: Store,
        tokens: TokenService,
        passwords: Passwords,
        throttle: Throttle,
        last_use: LastUse,
        look_up: LookUp,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._passwords = passwords
        self._throttle = throttle
        self._last_use = last_use
        self._look_up = look_up

    def api_key(self, secret: str, address: str) -> Credential | None:
        """Return the credential of an API key, None if there is none. One read, no write.

        Raises:
            TooManyFailures: it is unknown, and so were too many from this address.
        """
        sha256 = keys.sha256(secret)
        subject = "apikey:" + sha256.hex()
        with self._store.reading() as records:
            found = records.credential_by_secret(sha256) if keys.well_formed(secret) else None
            self._require_known(records, found, subject, address)
        if found is None:
            self._throttle.failed(subject, address)
        else:
            self._last_use.note(found.id)
        return found

    def registry_token(self, secret: str, region: str, address: str) -> Credential | None:
        """Return the credential of a registry token, None if the region has none. One read.

        Raises:
            TooManyFailures: as for an API key.
        """
        hashed = self._look_up.hash(secret)
        subject = "token:" + hashed.hex()
        with self._store.reading() as records:
            known = well_formed(secret)
            found = records.token_by_secret(hashed, region, self._throttle.now) if known else None
            self._require_known(records, found, subject, address)
        if found is None:
            self._throttle.failed(subject, address)
        return found

    def _require_known(
        self, records: Records, found: Credential | None, subject: str, address: str
    ) -> None:
        """Admit what was found in any case, else only where not too much failed.

        Nobody guesses a secret of this length, so the right one is let in however many wrong ones
        came from its address: it may be that of a whole company, or of a proxy.
        """
        if found is None:
            self._throttle.admit(records, subject, address)

    def password(self, email: str, password: str, address: str) -> Credential | None:
        """Return the user's credential, None if e-mail and password do not fit.

        An unknown e-mail takes as long as a wrong password.

        Raises:
            TooManyFailures: this user, or this address, failed too often.
            SignInBusy: too many passwords are being checked.
        """
        subject = "user:" + normalise(email)
        with self._store.reading() as records:
            failed_before = self._throttle.admit(records, subject, address)
            found = records.password_credential(normalise(email))
        fits = self._passwords.matches(password, found[1] if found else None)
        self._throttle.settle(subject, address, succeeded=fits, failed_before=failed_before)
        return found[0] if found and fits else None

    def refresh(self, token: str, audience: str) -> tuple[Credential, Claims]:
        """Return the standing credential behind a refresh token, and what the token says.

        Raises:
            RefreshExpired: the token has ended.
            RefreshInvalid: it is no refresh token for ``audience``, or its credential is gone.
        """
        try:
            claims = self._tokens.verify(token, TokenType.REFRESH, audience)
        except TokenExpired as error:
            raise RefreshExpired from error
        except TokenInvalid as error:
            raise RefreshInvalid from error
        credential = self._standing(claims)
        if credential is None:
            raise RefreshInvalid
        return credential, claims

    def bearer(self, token: str) -> tuple[Credential, Claims] | None:
        """Return the standing credential behind an IAM token and its claims; None if refused."""
        try:
            claims = self._tokens.verify(token, TokenType.IAM, IAM_AUDIENCE)
        except (TokenExpired, TokenInvalid):
            return None
        credential = self._standing(claims)
        return (credential, claims) if credential else None

    def anonymous(self) -> Credential:
        """Return the credential of callers without any; its row is written where it is missing."""
        with self._store.reading() as records:
            found = records.credential(ANONYMOUS)
        if found is None:
            with self._store.writing() as changes:
                changes.add_credential(ANONYMOUS_CREDENTIAL)
        return found or ANONYMOUS_CREDENTIAL

    def _standing(self, claims: Claims) -> Credential | None:
        with self._store.reading() as records:
            return records.credential(claims.credential)
