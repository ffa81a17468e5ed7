"""Who may read the figures: whoever has the token, or, without one, the networks allowed."""

import hmac
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from starlette.requests import HTTPConnection

from wharfinger.settings import Settings
from wharfinger.web.authentication import bearer
from wharfinger.web.urls import Urls, peer
from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

TOKEN_CHARACTERS: Final = 16
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class FiguresNotShown(Refusal):
    """The caller is not one who may read figures."""

    entry = entries.FIGURES_NOT_SHOWN


class TokenUnusable(RuntimeError):
    """The file of ``metrics_token_file`` holds no token."""


def require_token(settings: Settings) -> bytes:
    """Return the token that readers must present, b'' where the setting names none.

    Raises:
        TokenUnusable: the file cannot be read, or the token is too short to be a secret.
    """
    if not settings.metrics_token_file:
        return b""
    try:
        token = Path(settings.metrics_token_file).read_bytes().strip()
    except OSError as error:
        raise TokenUnusable(
            f"metrics_token_file: '{settings.metrics_token_file}' cannot be read: "
            f"{error.strerror}; name a file that the service's user may read"
        ) from error
    if len(token) < TOKEN_CHARACTERS:
        raise TokenUnusable(
            f"metrics_token_file: '{settings.metrics_token_file}' must hold a token of "
            f"{TOKEN_CHARACTERS} characters or more"
        )
    return token


class Access:
    """Lets readers of figures through."""

    def __init__(self, settings: Settings, urls: Urls) -> None:
        self._token: Final = require_token(settings)
        self._networks: Final = tuple(map(ip_network, settings.metrics_networks))
        self._urls: Final = urls

    def require(self, request: HTTPConnection) -> None:
        """Refuse who may not read.

        Raises:
            FiguresNotShown: the token is wrong or missing; or no token is set, and the client's
                address is in no network of the setting, or is hidden by an untrusted proxy.
        """
        if self._token:
            # Starlette decodes headers as Latin-1.
            allowed = hmac.compare_digest(bearer(request).encode("latin-1"), self._token)
        else:
            allowed = self._near(request)
        if not allowed:
            raise FiguresNotShown

    def _near(self, request: HTTPConnection) -> bool:
        # Behind a proxy on this machine that nobody told us of, everybody comes from loopback.
        known = self._urls.proxied(request.scope) or not any(
            name in request.headers for name in _FORWARDED
        )
        try:
            address = ip_address(self._urls.client_address(request) or peer(request.scope))
        except ValueError:
            return False
        return known and any(address in network for network in self._networks)
