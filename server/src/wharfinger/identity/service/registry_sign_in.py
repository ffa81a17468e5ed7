"""Registry tokens (Docker token authentication and its OAuth2 form, distribution documentation)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from wharfinger.database.again import again
from wharfinger.identity.model import (
    Credential,
    CredentialKind,
    CredentialsWrong,
    GrantUnsupported,
    PropertyMissing,
    RefreshExpired,
    RefreshInvalid,
    RegistryTokenUnknown,
    ServiceUnknown,
    StoredSignInRefused,
    StoredTokenRefused,
    TokenType,
)
from wharfinger.identity.scopes import EVERYTHING, Scope, parse, render
from wharfinger.identity.service.access import Access
from wharfinger.identity.service.authentication import Authenticator
from wharfinger.identity.service.tokens import (
    IAM_AUDIENCE,
    REGISTRY_AUDIENCE,
    SERVICES,
    TokenService,
)
from wharfinger_common.names import namespace_of

_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client asks of a region. Without user name and refresh token it is anonymous."""

    service: str
    region: str
    scopes: Sequence[str] = ()
    username: str | None = None
    password: str = field(default="", repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    offline: bool = False
    address: str = ""


class RegistryToken(Struct, frozen=True):
    """The answer; ``issued`` in Unix seconds, ``lifetime`` in seconds, ``scope`` as granted."""

    token: str
    issued: int
    lifetime: int
    scope: str
    refresh_token: str | None


class _Presented(Struct, frozen=True):
    """Who was found: the account it acts in ('' = any), and whether it may stay signed in."""

    credential: Credential
    account: str
    renewable: bool = False


class RegistrySignIn:
    """Issues bearer tokens for the registry and the trust server. Blocking."""

    def __init__(
        self,
        authenticator: Authenticator,
        tokens: TokenService,
        access: Access,
        *,
        token_seconds: int,
        refresh_seconds: int,
        max_scopes: int,
    ) -> None:
        self._authenticator = authenticator
        self._tokens = tokens
        self._access = access
        self._token_seconds = token_seconds
        self._refresh_seconds = refresh_seconds
        self._max_scopes = max_scopes
        self._user_names: Mapping[str, Callable[[TokenRequest], _Presented | None]] = {
            "iamapikey": self._by_api_key,
            "iambearer": self._by_bearer,
            "iamrefresh": self._by_iam_refresh,
            "token": self._by_registry_token,
        }

    @again
    def issue(self, request: TokenRequest) -> RegistryToken:
        """Return a token with what of the scopes the caller may have; possibly nothing.

        Raises:
            ServiceUnknown, ScopeInvalid, ScopesTooMany: the request is not as it must be.
            CredentialsWrong, RegistryTokenUnknown: the credentials are refused; with scopes
                their kinds StoredSignInRefused and StoredTokenRefused.
            TooManyFailures, SignInBusy: not now.
        """
        if request.service not in SERVICES:
            raise ServiceUnknown(service=request.service[:_SHOWN])
        scopes = parse(request.scopes, self._max_scopes)
        presented = self._identify(request)
        granted = self._granted(presented, request.region, scopes)
        token, issued, expires = self._tokens.issue(
            TokenType.REGISTRY,
            presented.credential,
            audience=request.service,
            lifetime=self._token_seconds,
            account=presented.account,
            access=render(granted),
            region=request.region,
        )
        return RegistryToken(
            token=token,
            issued=issued,
            lifetime=expires - issued,
            scope=" ".join(
                f"{scope.type}:{scope.name}:{','.join(actions)}"
                for scope, actions in granted.items()
                if actions
            ),
            refresh_token=self._refresh_token(request, presented),
        )

    def _identify(self, request: TokenRequest) -> _Presented:
        # Who pulls or pushes has typed nothing: then the message is the one that clients and guides
        # know for a sign-in that has ended.
        try:
            return self._look_up(request)
        except CredentialsWrong as refusal:
            raise (StoredSignInRefused if request.scopes else CredentialsWrong) from refusal
        except RegistryTokenUnknown as refusal:
            raise (StoredTokenRefused if request.scopes else RegistryTokenUnknown) from refusal

    def _look_up(self, request: TokenRequest) -> _Presented:
        if request.refresh_token is not None:
            return self._by_refresh(request.refresh_token, request.region)
        if request.username is None:
            return _Presented(self._authenticator.anonymous(), "")
        found = self._user_names.get(request.username, self._by_password)(request)
        if found is None:
            raise CredentialsWrong
        return found

    def _by_api_key(self, request: TokenRequest) -> _Presented | None:
        found = self._authenticator.api_key(request.password, request.address)
        return _Presented(found, found.account, renewable=True) if found else None

    def _by_password(self, request: TokenRequest) -> _Presented | None:
        found = self._authenticator.password(
            request.username or "", request.password, request.address
        )
        return _Presented(found, "", renewable=True) if found else None

    def _by_bearer(self, request: TokenRequest) -> _Presented | None:
        found = self._authenticator.bearer(request.password)
        return _Presented(found[0], found[1].account) if found else None

    def _by_iam_refresh(self, request: TokenRequest) -> _Presented | None:
        try:
            credential, claims = self._authenticator.refresh(request.password, IAM_AUDIENCE)
        except (RefreshInvalid, RefreshExpired):
            return None
        return _Presented(credential, claims.account)

    def _by_registry_token(self, request: TokenRequest) -> _Presented:
        found = self._authenticator.registry_token(
            request.password, request.region, request.address
        )
        if found is None:
            raise RegistryTokenUnknown
        return _Presented(found, found.account)

    def _by_refresh(self, token: str, region: str) -> _Presented:
        try:
            credential, claims = self._authenticator.refresh(token, REGISTRY_AUDIENCE)
        except (RefreshInvalid, RefreshExpired) as error:
            raise CredentialsWrong from error
        if claims.region != region:
            raise CredentialsWrong
        return _Presented(credential, claims.account, renewable=True)

    def _refresh_token(self, request: TokenRequest, presented: _Presented) -> str | None:
        """Return what the client may come back with, if it asks and its secret was a lasting one.

        Clients use the one they got for the registry at the trust server too, so it names the
        registry for both.
        """
        if request.refresh_token is not None:
            return request.refresh_token
        lasting = presented.renewable and presented.credential.kind is not CredentialKind.ANONYMOUS
        if not (request.offline and lasting):
            return None
        token, _, _ = self._tokens.issue(
            TokenType.REFRESH,
            presented.credential,
            audience=REGISTRY_AUDIENCE,
            lifetime=self._refresh_seconds,
            account=presented.account,
            region=request.region,
        )
        return token

    def _granted(
        self, presented: _Presented, region: str, scopes: Sequence[Scope]
    ) -> dict[Scope, tuple[str, ...]]:
        allowed: dict[str, frozenset[str]] = {}
        granted: dict[Scope, tuple[str, ...]] = {}
        for scope in scopes:
            repository = scope.repository
            if scope.catalog:
                granted[scope] = (EVERYTHING,)
            elif repository is not None:
                namespace = namespace_of(repository)
                if namespace not in allowed:
                    allowed[namespace] = self._actions(presented, region, namespace)
                granted[scope] = scope.granting(allowed[namespace])
        return granted

    def _actions(self, presented: _Presented, region: str, namespace: str) -> frozenset[str]:
        subject = presented.credential.iam_id
        return self._access.actions(subject, presented.account, region, namespace)


def request_from_form(
    form: Mapping[str, str], scopes: Sequence[str], address: str, region: str
) -> TokenRequest:
    """Return the request that an OAuth2 form makes (Docker OAuth2 token documentation).

    Raises:
        PropertyMissing, GrantUnsupported: it is not as it must be.
    """
    grant = form.get("grant_type", "")
    needed = {"password": ("username", "password"), "refresh_token": ("refresh_token",)}.get(grant)
    if not grant:
        raise PropertyMissing(property="grant_type")
    if needed is None:
        raise GrantUnsupported(grant=grant[:_SHOWN], offered="password, refresh_token")
    for name in needed:
        if not form.get(name):
            raise PropertyMissing(property=name)
    refreshing = grant == "refresh_token"
    return TokenRequest(
        service=form.get("service", REGISTRY_AUDIENCE),
        region=region,
        scopes=scopes,
        username=None if refreshing else form["username"],
        password="" if refreshing else form["password"],
        refresh_token=form["refresh_token"] if refreshing else None,
        offline=form.get("access_type") == "offline",
        address=address,
    )
