"""Who is let in on the short paths: whoever plainly may; of all others the ordinary routes decide.

Nothing here waits, and nothing here refuses: None leaves a request to `web.authentication.Gate`,
which knows more, and words what it refuses.
"""

from typing import Final, Protocol

from starlette.requests import HTTPConnection
from starlette.types import Scope

from wharfinger.identity.model import Claims, KeyUnread, TokenType
from wharfinger.web.authentication import REGISTRY_AUDIENCE
from wharfinger.web.context import Web
from wharfinger_common.refusals import Refusal


class Tokens(Protocol):
    """Where tokens are verified; a known one costs a dictionary look-up."""

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Return the claims of a valid token, without blocking."""


class Admission:
    """Reads tokens of plain requests; for the event loop.

    A request with one of the headers ``ordinary`` is not plain.
    """

    def __init__(self, web: Web, tokens: Tokens, ordinary: frozenset[bytes]) -> None:
        self._web: Final = web
        self._tokens: Final = tokens
        self._ordinary: Final = ordinary
        regions = web.urls.regions
        self._regions: Final = {host.encode(): one.name for host, one in regions.hosts.items()}
        self._several: Final = regions.only is None

    def claims(self, scope: Scope, repository: str, *actions: str) -> Claims | None:
        """Return the claims of a token that grants ``actions`` and still holds, else None.

        Whether its credential was revoked meanwhile is the caller's to ask.
        """
        found = self._bearer(scope)
        if found is None:
            return None
        token, host = found
        try:
            claims = self._tokens.verify_at_once(token, TokenType.REGISTRY, REGISTRY_AUDIENCE)
            if self._several and claims.region != self._region(scope, host):
                return None
        except (KeyUnread, Refusal):
            return None
        for action in actions:
            if not claims.grants(repository, action):
                return None
        plain = not self._is_warned(claims) and self._is_open(claims.region, repository)
        return claims if plain else None

    def _bearer(self, scope: Scope) -> tuple[str, bytes] | None:
        """Return the token and the host; None if there is no one token, or more to look at."""
        token, host = "", b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                if token or value[:7].lower() != b"bearer ":
                    return None
                token = value[7:].decode("latin-1")
            elif name == b"host":
                host = value
            elif name in self._ordinary:
                return None
        return (token, host) if token else None

    def _is_open(self, region: str, repository: str) -> bool:
        """Whether every network may come in, as far as that is known now."""
        private = self._web.private
        if private.is_stale():
            return False
        return not private.restricts(region, repository.partition("/")[0])

    def _is_warned(self, claims: Claims) -> bool:
        """Whether the answer carries a warning that the credential ends."""
        if not claims.ends:
            return False
        return claims.ends - self._web.clock() <= self._web.settings.credential_warning_seconds

    def _region(self, scope: Scope, host: bytes) -> str:
        """Return the region that is called; the host may be a proxy's word, or in other form."""
        proxied = self._web.settings.trusted_proxies
        known = None if proxied else self._regions.get(host)
        return known or self._web.urls.region(HTTPConnection(scope))
