"""Signing in through an OpenID Connect provider, to a passcode.

OpenID Connect Core 1.0, section 3.1 (authorization code flow), with PKCE (RFC 7636).
"""

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct

from wharfinger.identity.model import EmailUnverified, ProviderUnavailable, SignInStale
from wharfinger.identity.ports import Clock, OidcProvider
from wharfinger.identity.secrets import MasterKeyInvalid, Seal
from wharfinger.identity.service.passcodes import Passcodes
from wharfinger_common.languages import Text

PURPOSE: Final = "oidc sign-in"
SECONDS: Final = 600
"""How long somebody may take at the provider."""


class _Started(msgspec.Struct):
    state: str
    nonce: str
    verifier: str
    at: int


class Departure(Struct, frozen=True):
    """Where the browser goes, and what it must bring back in a cookie: sealed, for us only."""

    url: str
    cookie: bytes


class SingleSignOn:
    """The two halves of a sign-in at the provider. Blocking: it is asked over the network.

    Anybody may begin one, so a provider that hangs could take every thread: at most ``waiting``
    of them wait for it, and who comes then is refused at once.
    """

    def __init__(
        self,
        provider: OidcProvider,
        passcodes: Passcodes,
        seal: Seal,
        clock: Clock,
        waiting: int,
    ) -> None:
        self._places: Final = threading.BoundedSemaphore(waiting)
        self._provider: Final = provider
        self._passcodes: Final = passcodes
        self._seal: Final = seal
        self._clock: Final = clock

    def start(self, redirect_uri: str) -> Departure:
        """Return where to go; ``redirect_uri`` is where the provider sends the browser back.

        Raises:
            ProviderUnavailable: the provider does not answer as one.
        """
        started = _Started(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            at=int(self._clock()),
        )
        with self._place():
            url = self._provider.authorization_url(
                redirect_uri, started.state, started.nonce, started.verifier
            )
        return Departure(url, self._seal.close(msgspec.json.encode(started), PURPOSE))

    def finish(self, cookie: bytes, state: str, code: str, redirect_uri: str) -> str:
        """Return a passcode for who comes back from the provider.

        Raises:
            SignInStale: it did not begin here, or too long ago.
            EmailUnverified: the provider does not vouch for an e-mail.
            PersonUnknown: nobody added a user with it.
            ProviderUnavailable, ProviderRefused: the provider's answer does not do.
        """
        started = self._started(cookie)
        if not code or not hmac.compare_digest(started.state.encode(), state.encode()):
            raise SignInStale
        with self._place():
            person = self._provider.identify(redirect_uri, code, started.nonce, started.verifier)
        if not person.email or not person.verified:
            raise EmailUnverified
        return self._passcodes.by_email(person.email)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ProviderUnavailable(reason=Text("too many wait for it already"))
        try:
            yield
        finally:
            self._places.release()

    def _started(self, cookie: bytes) -> _Started:
        try:
            started = msgspec.json.decode(self._seal.open(cookie, PURPOSE), type=_Started)
        except (MasterKeyInvalid, msgspec.DecodeError, ValueError) as error:
            raise SignInStale from error
        if not 0 <= self._clock() - started.at <= SECONDS:
            raise SignInStale
        return started
