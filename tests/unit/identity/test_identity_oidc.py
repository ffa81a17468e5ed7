"""What a provider of single sign-on sends is believed only where all of it is right."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from wharfinger.identity.model import ProviderRefused, ProviderUnavailable
from wharfinger.identity.oidc import AuthlibProvider
from wharfinger.identity.ports import Person

CLIENT, SECRET, NONCE = "wharfinger", "client secret", "nonce of the sign-in"


@dataclass
class Issuer:
    """A provider whose every answer a test may make wrong; the key is shown at ``/keys``."""

    port: int = 0
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    issuer: str = ""
    make: Callable[[Issuer], Any] = lambda issuer: issuer.token()
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, key: Any = None, algorithm: str = "RS256", **changed: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "1",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": NONCE,
            "email": "ada@example.com",
            "email_verified": True,
            **changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": algorithm, "kid": "k1"}
        return jwt.encode(header, claims, key or self.key, algorithms=[algorithm])

    def answer(self, path: str) -> Any:
        if path.startswith("/.well-known/"):
            return {
                "issuer": self.issuer or self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        if path == "/keys":
            return KeySet([self.key]).as_dict(private=False)
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.make(self)}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            made.asked.append(dict(pair.split("=", 1) for pair in body.split("&") if pair))
            content = json.dumps(made.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the base class wants it so

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def provider(issuer: Issuer) -> AuthlibProvider:
    return AuthlibProvider(issuer.url, CLIENT, SECRET, time.time)


def identify(provider: AuthlibProvider) -> Person:
    return provider.identify("http://localhost/back", "the code", NONCE, "the verifier")


def test_who_the_provider_vouches_for(issuer: Issuer, provider: AuthlibProvider) -> None:
    assert identify(provider) == Person("ada@example.com", True)
    exchange = next(asked for asked in issuer.asked if asked)
    assert (exchange["code"], exchange["code_verifier"]) == ("the+code", "the+verifier")


@pytest.mark.parametrize("value", [False, None, "true", 1, "false"])
def test_only_true_is_verified(issuer: Issuer, provider: AuthlibProvider, value: Any) -> None:
    issuer.make = lambda made: made.token(email_verified=value)

    assert not identify(provider).verified


def shared(issuer: Issuer, secret: bytes) -> str:
    """The right claims, signed with what both sides know."""
    header = encoded(b'{"alg":"HS256","kid":"k1"}')
    body = f"{header}.{issuer.token().split('.')[1]}"
    return f"{body}.{encoded(hmac.digest(secret, body.encode(), 'sha256'))}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


OTHER = RSAKey.generate_key(2048, {"kid": "k1"})
FORGED: dict[str, Callable[[Issuer], Any]] = {
    "another key": lambda issuer: issuer.token(OTHER),
    "another curve's key": lambda issuer: issuer.token(ECKey.generate_key("P-256"), "ES256"),
    "the public key as a shared secret": lambda issuer: shared(
        issuer, issuer.key.as_pem(private=False)
    ),
    "the client secret as a shared secret": lambda issuer: shared(issuer, SECRET.encode()),
    "no signature": lambda issuer: f"{issuer.token().rpartition('.')[0]}.",
    "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "another audience": lambda issuer: issuer.token(aud="another"),
    "another party among audiences": lambda issuer: issuer.token(aud=[CLIENT, "x"], azp="x"),
    "another nonce": lambda issuer: issuer.token(nonce="another"),
    "no nonce": lambda issuer: issuer.token(nonce=None),
    "ended": lambda issuer: issuer.token(exp=int(time.time()) - 300),
    "no end": lambda issuer: issuer.token(exp=None),
    "no subject": lambda issuer: issuer.token(sub=None),
    "from the future": lambda issuer: issuer.token(iat=int(time.time()) + 900),
    "no token": lambda _issuer: None,
    "no text": lambda _issuer: 5,
    "no JWT": lambda _issuer: "x.y",
}


@pytest.mark.parametrize("case", FORGED)
def test_a_token_that_is_not_right_vouches_for_nobody(
    issuer: Issuer, provider: AuthlibProvider, case: str
) -> None:
    issuer.make = FORGED[case]

    with pytest.raises(ProviderRefused):
        identify(provider)


def test_an_unsigned_token_vouches_for_nobody(issuer: Issuer, provider: AuthlibProvider) -> None:
    _, claims, _ = issuer.token().split(".")
    header = encoded(b'{"alg":"none"}')
    issuer.make = lambda _issuer: f"{header}.{claims}."

    with pytest.raises(ProviderRefused):
        identify(provider)


def test_another_issuers_document_is_not_believed(
    issuer: Issuer, provider: AuthlibProvider
) -> None:
    issuer.issuer = "https://evil.example"

    with pytest.raises(ProviderUnavailable):
        provider.authorization_url("http://localhost/back", "s", "n", "v")


def test_the_way_there_carries_state_nonce_and_challenge(provider: AuthlibProvider) -> None:
    url = provider.authorization_url("http://localhost/back", "s1", "n1", "v" * 43)

    for part in ("state=s1", "nonce=n1", "code_challenge_method=S256", "scope=openid+email"):
        assert part in url
    assert "v" * 43 not in url
    assert SECRET not in url
