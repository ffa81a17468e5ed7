"""Bearer tokens on requests: who calls, and what the challenge says when nobody valid does.

Docker token authentication specification, and RFC 6750 section 3 for the error words.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec.structs import replace
from starlette.requests import HTTPConnection

from wharfinger.identity.model import (
    PUSH,
    Caller,
    Claims,
    KeyUnread,
    TokenExpired,
    TokenInvalid,
    TokenType,
)
from wharfinger.web.context import Web
from wharfinger.web.notices import ending
from wharfinger.web.private import PrivateOnly
from wharfinger.web.witness import Presented, notice, present
from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Text
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Challenge, Refusal, Rule

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
        """Return the claims of a valid token; may block on the database."""

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Do the same on the event loop, or raise `KeyUnread` where that would block."""

    def is_current(self, claims: Claims) -> bool:
        """Whether the credential still stands; may block on the database."""

    def remembers_current(self, claims: Claims) -> bool:
        """Whether ``is_current`` would say yes from memory; never blocks."""


class Access(Protocol):
    """What identity's access policies answer here; every method may block on the database."""

    def may(self, claims: Claims, region: str, repository: str, action: str) -> bool:
        """Whether policy would let the bearer do ``action`` on ``repository``."""

    def rule(self, claims: Claims, region: str, repository: str, actions: Sequence[str]) -> Rule:
        """Return why policy would not."""

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
            PrivateOnly: the client is in none of the networks that the account wants.
        """
        claims = await self._claims(request, scope := _scope(repository, actions))
        missing = [action for action in actions if not claims.grants(repository, action)]
        if missing:
            refusal = await self._why_not(claims, repository, missing, scope)
            # No text survives a HEAD, and clients give up at its 403. Where they read 404 they
            # go on to the request whose refusal they can show.
            hidden = request.scope["method"] == "HEAD" and isinstance(refusal, AccessDenied)
            raise _hidden(refusal) if hidden else refusal
        await self._require_network(request, claims.region, repository)
        return claims

    async def _require_network(self, request: HTTPConnection, region: str, repository: str) -> None:
        private, urls = self._web.private, self._web.urls
        if private.is_stale():
            await self._web.threads.run(private.refresh)
        namespace = namespace_of(repository)
        if not private.restricts(region, namespace):
            return
        address = urls.client_address(request)
        if not urls.regions.is_private(region, address):
            needed = Text(
                "an address in the private networks of the region {region}", region=region
            )
            values = {"address": address, "namespace": namespace}
            refusal = PrivateOnly(namespace=namespace).because("network", values, needed)
            raise _hidden(refusal) if request.scope["method"] == "HEAD" else refusal

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
        claims = await self.iam_claims(request)
        account = request.headers.get("account", "")
        if not account:
            raise AccountMissing
        request_id: str = request.scope.get("request_id", "")
        caller = await self._web.threads.run(self._access.caller, claims, account, request_id)
        Presented.of(request.scope).account = account
        return replace(caller, region=self._web.urls.region(request))

    async def iam_claims(self, request: HTTPConnection) -> Claims:
        """Return the claims of a caller with a valid IAM token, whatever account it acts in.

        Raises:
            AuthenticationRequired: there is none.
        """
        token = bearer(request)
        if not token:
            raise AuthenticationRequired
        region = self._web.urls.region(request)
        try:
            claims = await self._verified(token, TokenType.IAM, IAM_AUDIENCE)
        except (TokenExpired, TokenInvalid) as refusal:
            raise _not_accepted(request, refusal, region=region) from refusal
        present(request, claims, region)
        if not await self._stands(claims):
            raise _revoked(claims)
        return claims

    async def _claims(self, request: HTTPConnection, scope: str) -> Claims:
        token = bearer(request)
        if not token:
            raise AuthenticationRequired(challenge=Challenge(scope))
        challenge = Challenge(scope, INVALID_TOKEN)
        region = self._web.urls.region(request)
        try:
            claims = await self._verified(token, TokenType.REGISTRY, REGISTRY_AUDIENCE)
        except (TokenExpired, TokenInvalid) as refusal:
            raise _not_accepted(request, refusal, challenge, region) from refusal
        present(request, claims, region)
        # A region's token is nothing in the others, where its scopes would name other things.
        if claims.region != region:
            raise _of_another_region(claims, challenge)
        if not await self._stands(claims):
            raise _revoked(claims, challenge)
        limit = self._web.settings.credential_warning_seconds
        if (soon := ending(claims.ends, self._web.clock(), limit)) is not None:
            notice(request, soon)
        return claims

    async def _stands(self, claims: Claims) -> bool:
        if self._verifier.remembers_current(claims):
            return True
        return await self._web.threads.run(self._verifier.is_current, claims)

    async def _verified(self, token: str, typ: TokenType, audience: str) -> Claims:
        try:
            return self._verifier.verify_at_once(token, typ, audience)
        except KeyUnread:
            return await self._web.threads.run(self._verifier.verify, token, typ, audience)

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
            return scope_missing(claims, repository, scope)
        if claims.anonymous:
            return AuthenticationRequired(challenge=Challenge(scope))
        if PUSH in missing:
            namespace = namespace_of(repository)
            await self._web.threads.run(self._namespaces.require, region, namespace)
        refusal = AccessDenied()
        refusal.rule = await self._web.threads.run(
            self._access.rule, claims, region, repository, missing
        )
        return refusal


def _scope(repository: str, actions: tuple[str, ...]) -> str:
    return f"repository:{repository}:{','.join(actions)}"


def _hidden(denial: Refusal) -> NotShown:
    refusal = NotShown()
    refusal.rule = denial.rule
    return refusal


def _not_accepted(
    request: HTTPConnection,
    refusal: TokenExpired | TokenInvalid,
    challenge: Challenge | None = None,
    region: str = "",
) -> Refusal:
    """Return the refusal of a token that counts no more, or never did."""
    answer = AuthenticationRequired(challenge=challenge)
    if not isinstance(refusal, TokenExpired) or refusal.claims is None:
        return answer.because("credential", {}, Text("a token that this service issued"))
    present(request, refusal.claims, region)
    values = {"expired_at": refusal.claims.expires, "issued_at": refusal.claims.issued}
    return answer.because("credential", values, Text("a token that has not expired"))


def _revoked(claims: Claims, challenge: Challenge | None = None) -> Refusal:
    needed = Text("a credential that still exists, and a token issued since its rights changed")
    return AuthenticationRequired(challenge=challenge).because(
        "credential", {"credential": claims.credential, "issued_at": claims.issued}, needed
    )


def _of_another_region(claims: Claims, challenge: Challenge) -> Refusal:
    needed = Text("a token of the region whose host is called")
    values = {"region": claims.region}
    return AuthenticationRequired(challenge=challenge).because("credential", values, needed)


def scope_missing(claims: Claims, repository: str, scope: str) -> Refusal:
    """Return the challenge to get a token with ``scope``, which policy allows."""
    granted = ",".join(sorted(claims.access.get(repository, ()))) or "nothing"
    return AuthenticationRequired(challenge=Challenge(scope, INSUFFICIENT_SCOPE)).because(
        "scope",
        {"asked": scope, "granted": granted},
        Text("a token with the scope {scope}, which policy allows", scope=scope),
    )
