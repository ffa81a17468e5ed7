"""The IAM token exchange: an API key, a password or a refresh token for an IAM token."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from wharfinger.database.again import again
from wharfinger.identity.model import (
    ApiKeyUnknown,
    Credential,
    CredentialsWrong,
    GrantUnsupported,
    NotInAccount,
    PasscodeInvalid,
    PropertyMissing,
    TokenType,
)
from wharfinger.identity.ports import Store
from wharfinger.identity.service.authentication import Authenticator
from wharfinger.identity.service.passcodes import Passcodes
from wharfinger.identity.service.tokens import IAM_AUDIENCE, TokenService

GRANT_API_KEY: Final = "urn:ibm:params:oauth:grant-type:apikey"
GRANT_PASSCODE: Final = "urn:ibm:params:oauth:grant-type:passcode"
GRANT_PASSWORD: Final = "password"  # noqa: S105 - the name of a grant type
GRANT_REFRESH: Final = "refresh_token"
NO_REFRESH: Final = "not_supported"
_SHOWN: Final = 100


class IamToken(Struct, frozen=True):
    """The answer of the exchange; times in Unix seconds, ``lifetime`` in seconds."""

    access_token: str
    refresh_token: str
    lifetime: int
    expires: int


class SignIn:
    """Exchanges credentials for IAM tokens (control API, section 1). Blocking."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        passcodes: Passcodes,
        tokens: TokenService,
        *,
        token_seconds: int,
        refresh_seconds: int,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._passcodes = passcodes
        self._tokens = tokens
        self._token_seconds = token_seconds
        self._refresh_seconds = refresh_seconds
        self._grants: Mapping[str, Callable[[Mapping[str, str], str], tuple[Credential, str]]] = {
            GRANT_API_KEY: self._by_api_key,
            GRANT_PASSCODE: self._by_passcode,
            GRANT_PASSWORD: self._by_password,
            GRANT_REFRESH: self._by_refresh,
        }

    @again
    def exchange(self, form: Mapping[str, str], address: str, *, with_refresh: bool) -> IamToken:
        """Return an IAM token for the grant in ``form``; ``address`` is the client's.

        ``bss_account`` or ``account`` binds the token to an account. A refresh token is given
        only to a client that authenticated itself (``with_refresh``).

        Raises:
            PropertyMissing, GrantUnsupported: the form is not as it must be.
            ApiKeyUnknown, CredentialsWrong, PasscodeInvalid, RefreshInvalid, RefreshExpired: the
                secret is refused.
            NotInAccount: it may not be bound to the account.
            TooManyFailures, SignInBusy: not now.
        """
        grant = _required(form, "grant_type")
        authenticate = self._grants.get(grant)
        if authenticate is None:
            raise GrantUnsupported(grant=grant[:_SHOWN], offered=", ".join(self._grants))
        credential, account = authenticate(form, address)
        wanted = form.get("bss_account") or form.get("account") or account
        return self._issue(credential, self._bound(credential, wanted), with_refresh=with_refresh)

    def _by_api_key(self, form: Mapping[str, str], address: str) -> tuple[Credential, str]:
        credential = self._authenticator.api_key(_required(form, "apikey"), address)
        if credential is None:
            raise ApiKeyUnknown
        return credential, credential.account

    def _by_password(self, form: Mapping[str, str], address: str) -> tuple[Credential, str]:
        email, password = _required(form, "username"), _required(form, "password")
        credential = self._authenticator.password(email, password, address)
        if credential is None:
            raise CredentialsWrong
        return credential, ""

    def _by_passcode(self, form: Mapping[str, str], address: str) -> tuple[Credential, str]:
        credential = self._passcodes.redeem(_required(form, "passcode"), address)
        if credential is None:
            raise PasscodeInvalid
        return credential, ""

    def _by_refresh(self, form: Mapping[str, str], _address: str) -> tuple[Credential, str]:
        token = _required(form, "refresh_token")
        credential, claims = self._authenticator.refresh(token, IAM_AUDIENCE)
        return credential, claims.account

    def _bound(self, credential: Credential, account: str) -> str:
        """Return the account that the token acts in: the one wanted, or the user's only one.

        '' leaves the token of a user with several accounts to act in each of them.
        """
        if credential.account:
            if account != credential.account:
                raise NotInAccount(account=account[:_SHOWN])
            return account
        with self._store.reading() as records:
            if not account:
                accounts = records.accounts_of(credential.iam_id, 2)
                return accounts[0] if len(accounts) == 1 else ""
            if records.standing(account, credential.iam_id) is None:
                raise NotInAccount(account=account[:_SHOWN])
        return account

    def _issue(self, credential: Credential, account: str, *, with_refresh: bool) -> IamToken:
        access, _, expires = self._tokens.issue(
            TokenType.IAM,
            credential,
            audience=IAM_AUDIENCE,
            lifetime=self._token_seconds,
            account=account,
        )
        refresh = NO_REFRESH
        if with_refresh:
            refresh, _, _ = self._tokens.issue(
                TokenType.REFRESH,
                credential,
                audience=IAM_AUDIENCE,
                lifetime=self._refresh_seconds,
                account=account,
            )
        return IamToken(access, refresh, self._token_seconds, expires)


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise PropertyMissing(property=name)
    return value
