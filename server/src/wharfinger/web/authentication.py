"""Bearer tokens on requests: who calls, and what the challenge says when nobody valid does.

Docker token authentication specification, and RFC 6750 section 3 for the error words.
"""

import asyncio
from dataclasses import replace
from typing import Final, Protocol

from starlette.requests import HTTPConnection

from wharfinger.identity.model import PUSH, Caller, Claims, TokenExpired, TokenInvalid, TokenType
from wharfinger.web.context import Web
from wharfinger_common.catalogue import web as entries
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Challenge, Refusal

REGISTRY_AUDIENCE: Final = "registry"
IAM_AUDIENCE: Final = "iam"
INVALID_TOKEN: Final = "invalid_token"  # noqa: S105 - an error word of RFC 6750
INSUFFICIENT_SCOPE: Final = "insufficient_scope"


class AuthenticationRequired(Refusal):
    """No token, or one that does not count (any more)."""

    entry = entries.AUTHENTICATION_REQUIRED


class AccessDenied(Refusal):
    """The caller is known, and may not."""

    entry = entries.ACCESS_DENIED


class NotShown(Refusal):
    """To this caller there is nothing of this name."""

    entry = entries.NOT_SHOWN


class AccountMissing(Refusal):
    """A control call without an Account header."""

    entry = entries.ACCOUNT_MISSING


class Verifier(Protocol):
    """What identity's token service offers here."""

    def verify(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Return the claims of a valid token; cheap enough for the event loop."""

    def is_current(self, claims: Claims) -> bool:
        """Whether the credential still stands; may block on the database."""


class Access(Protocol):
    """What identity's access policies answer here; every method may block on the database."""

    def may(self, claims: Claims, region: str, repository: str, action: str) -> bool:
        """Whether policy would let the bearer do ``action`` on ``repository``."""

    def caller(self, claims: Claims, account: str, request_id: str) -> Caller:
        """Return the caller acting in ``account``, refusing one that is not in it."""


class Namespaces(Protocol):
    """Who owns a namespace; may block on the database."""

    def require(self, region: str, name: str, /) -> object:
        """Return its owner, refusing a name that no active namespace has."""


def bearer(request: HTTPConnection) -> str:
    """Return the bearer token of the request, '' if it carries none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Gate:
    """Lets a request through to a repository or a control call, or refuses it with its cause."""

    def __init__(
        self, web: Web, verifier: Verifier, access: Access, namespaces: Namespaces
    ) -> None:
        self._web: Final = web
        self._verifier: Final = verifier
        self._access: Final = access
        self._namespaces: Final = namespaces

    async def authorize(self, request: HTTPConnection, repository: str, *actions: str) -> Claims:
        """Return the claims of a caller whose token grants all ``actions`` on ``repository``.

        Raises:
            AuthenticationRequired: no token (no error word), an expired or revoked one
                (``invalid_token``), or one without a scope that the caller could get.
            NamespaceUnknown: there is no such namespace to push to.
            AccessDenied: policy does not allow it to this caller.
            NotShown: the same, on a HEAD.
        """
        claims = await self._claims(request, scope := _scope(repository, actions))
        missing = [action for action in actions if not claims.grants(repository, action)]
        if missing:
            refusal = await self._why_not(claims, repository, missing, scope)
            # No text survives a HEAD, and clients give up at its 403. Where they read 404 they
            # go on to the request whose refusal they can show.
            hidden = request.scope["method"] == "HEAD" and isinstance(refusal, AccessDenied)
            raise NotShown if hidden else refusal
        return claims

    async def ping(self, request: HTTPConnection) -> Claims:
        """Return the claims of any valid token, for ``GET /v2/`` (OCI distribution, end-1).

        Raises:
            AuthenticationRequired: there is none, or the token was issued to nobody.
        """
        claims = await self._claims(request, "")
        if claims.anonymous:
            raise AuthenticationRequired(challenge=Challenge())
        return claims

    async def catalog(self, request: HTTPConnection) -> Claims:
        """Return the claims of a caller that asked for the catalogue.

        Raises:
            AuthenticationRequired: no valid token, or one without the scope.
        """
        scope = "registry:catalog:*"
        claims = await self._claims(request, scope)
        if not claims.catalog:
            raise AuthenticationRequired(challenge=Challenge(scope, INSUFFICIENT_SCOPE))
        return claims

    async def control_caller(self, request: HTTPConnection) -> Caller:
        """Return who makes this control or identity call, in the account it names.

        Raises:
            AuthenticationRequired: no IAM token, or an invalid one.
            AccountMissing: neither header nor token names an account.
            AccountForbidden: the account is not the caller's.
        """
        claims = await self._iam_claims(request)
        account = request.headers.get("account", "")
        if not account:
            raise AccountMissing
        request_id: str = request.scope.get("request_id", "")
        caller = await self._web.threads.run(self._access.caller, claims, account, request_id)
        return replace(caller, region=self._web.urls.region(request))

    async def _iam_claims(self, request: HTTPConnection) -> Claims:
        token = bearer(request)
        if not token:
            raise AuthenticationRequired
        try:
            claims = self._verifier.verify(token, TokenType.IAM, IAM_AUDIENCE)
        except (TokenExpired, TokenInvalid) as refusal:
            raise AuthenticationRequired from refusal
        if not await self._web.threads.run(self._verifier.is_current, claims):
            raise AuthenticationRequired
        return claims

    async def _claims(self, request: HTTPConnection, scope: str) -> Claims:
        token = bearer(request)
        if not token:
            raise AuthenticationRequired(challenge=Challenge(scope))
        try:
            claims = self._verifier.verify(token, TokenType.REGISTRY, REGISTRY_AUDIENCE)
        except (TokenExpired, TokenInvalid) as refusal:
            raise AuthenticationRequired(challenge=Challenge(scope, INVALID_TOKEN)) from refusal
        # A region's token is nothing in the others, where its scopes would name other things.
        if claims.region != self._web.urls.region(request):
            raise AuthenticationRequired(challenge=Challenge(scope, INVALID_TOKEN))
        if not await self._web.threads.run(self._verifier.is_current, claims):
            raise AuthenticationRequired(challenge=Challenge(scope, INVALID_TOKEN))
        return claims

    async def _why_not(
        self, claims: Claims, repository: str, missing: list[str], scope: str
    ) -> Refusal:
        """Return the challenge if another token would help or sign-in might, else the denial."""
        region = claims.region
        could = await asyncio.gather(
            *(
                self._web.threads.run(self._access.may, claims, region, repository, action)
                for action in missing
            )
        )
        if all(could):
            return AuthenticationRequired(challenge=Challenge(scope, INSUFFICIENT_SCOPE))
        if claims.anonymous:
            return AuthenticationRequired(challenge=Challenge(scope))
        if PUSH in missing:
            namespace = namespace_of(repository)
            await self._web.threads.run(self._namespaces.require, region, namespace)
        return AccessDenied()


def _scope(repository: str, actions: tuple[str, ...]) -> str:
    return f"repository:{repository}:{','.join(actions)}"
