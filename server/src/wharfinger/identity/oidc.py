"""The adapter of an OpenID Connect provider, over Authlib.

Endpoints and keys come from the provider's discovery document (OpenID Connect Discovery 1.0),
which is asked for again after an hour, and when a key is not known. The issuer is the operator's
setting, so its URLs are called as they are.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from wharfinger.identity.model import ProviderRefused, ProviderUnavailable
from wharfinger.identity.ports import Clock, Person

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

SCOPE: Final = "openid email"
DISCOVERY: Final = "/.well-known/openid-configuration"
SECONDS: Final = 10.0
FRESH_SECONDS: Final = 3600.0
LEEWAY: Final = 60
"""Seconds that the provider's clock may differ."""
# Signatures only: a shared secret or no algorithm at all would let others speak for the provider.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_ENDPOINTS: Final = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class AuthlibProvider:
    """Implements ``ports.OidcProvider``; any thread may call."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, clock: Clock) -> None:
        self._issuer: Final = issuer.rstrip("/")
        self._client_id: Final = client_id
        self._secret: Final = client_secret
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser signs in.

        Raises:
            ProviderUnavailable: the provider does not answer as one.
        """
        endpoint = self._metadata()["authorization_endpoint"]
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def identify(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> Person:
        """Return whom the provider vouches for with ``code``.

        Raises:
            ProviderUnavailable: the provider does not answer as one.
            ProviderRefused: it does not take the code, or its ID token is not right.
        """
        metadata = self._metadata()
        with self._client(redirect_uri) as client:
            token = client.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=verifier
            )
        keys = self._fetched(metadata["jwks_uri"])
        claims = self._claims(str(token.get("id_token", "")), keys, nonce, metadata["issuer"])
        return Person(str(claims.get("email") or ""), claims.get("email_verified") is True)

    def _claims(self, id_token: str, keys: Any, nonce: str, issuer: str) -> dict[str, Any]:
        """Return the claims of an ID token (OpenID Connect Core, section 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            decoded = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {"iss": {"value": issuer}, "aud": {"value": self._client_id}},
                {"nonce": nonce, "client_id": self._client_id},
            )
            claims.validate(now=int(self._clock()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderRefused(reason=type(error).__name__) from error
        return dict(claims)

    def _metadata(self) -> dict[str, Any]:
        with self._lock:
            now = self._clock()
            if self._known is None or now - self._known[0] > FRESH_SECONDS:
                self._known = (now, self._discovered())
            return self._known[1]

    def _discovered(self) -> dict[str, Any]:
        told = self._fetched(self._issuer + DISCOVERY)
        if not isinstance(told, dict) or not all(isinstance(told.get(n), str) for n in _ENDPOINTS):
            raise ProviderUnavailable(reason="discovery")
        if told["issuer"].rstrip("/") != self._issuer:
            raise ProviderUnavailable(reason=f"issuer {told['issuer'][:200]}")
        return told

    def _fetched(self, url: str) -> Any:
        import httpx2

        with _mapped(), httpx2.Client(timeout=SECONDS) as client:
            return client.get(url).raise_for_status().json()

    @contextmanager
    def _client(self, redirect_uri: str) -> "Iterator[OAuth2Client]":
        from authlib.integrations.httpx_client import OAuth2Client

        with (
            _mapped(),
            OAuth2Client(
                client_id=self._client_id,
                client_secret=self._secret,
                scope=SCOPE,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
                timeout=SECONDS,
            ) as client,
        ):
            yield client


@contextmanager
def _mapped() -> Iterator[None]:
    """Raise ours for what Authlib and its HTTP client raise."""
    from authlib.common.errors import AuthlibBaseError
    from httpx2 import HTTPError

    try:
        yield
    except AuthlibBaseError as error:
        raise ProviderRefused(reason=str(error.error or type(error).__name__)) from error
    except (HTTPError, ValueError) as error:
        raise ProviderUnavailable(reason=type(error).__name__) from error
