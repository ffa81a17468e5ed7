"""The sign-in that is in the configuration: whose it is, and a token that is always fresh."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wharf.config import Config, Values
from wharf.folder import locked

if TYPE_CHECKING:
    from types import ModuleType

    from wharfinger_common.clients.identity import Tokens
    from wharfinger_common.clients.transport import Transport

LOCK: Final = ".session.lock"
MARGIN: Final = 60.0
"""Seconds before its end in which a token is renewed: it must outlive the call it is for."""


class Session:
    """Who is signed in, where, in which account and region. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        config: Config,
        open_transport: Callable[[str], "Transport"],
        *,
        for_plugin: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config: Final = config
        self._open: Final = open_transport
        self._for_plugin: Final = for_plugin
        self._clock: Final = clock

    @property
    def endpoint(self) -> str:
        """Address of the service.

        Raises:
            NoEndpoint: none was set.
        """
        if not (endpoint := self._config.text("APIEndpoint")):
            raise _refusals().NoEndpoint
        return endpoint

    @property
    def signed_in(self) -> bool:
        """Whether there is a sign-in; it may have ended meanwhile."""
        return bool(self._config.text("IAMToken"))

    @property
    def user(self) -> str:
        """E-mail of the user, or name of the service id."""
        return self._config.text("User")

    @property
    def region(self) -> str:
        """The region that is targeted, '' for the one that the service is called in."""
        return self._config.text("Region")

    @property
    def account(self) -> str:
        """Id of the account that is targeted.

        Raises:
            NotLoggedIn, PluginNotLoggedIn: nobody is signed in.
            NoAccount: the sign-in is not bound to one.
        """
        self.require()
        if not (account := self._config.part("Account").get("GUID", "")):
            raise _refusals().NoAccount
        return account

    @property
    def account_name(self) -> str:
        """Name of the account that is targeted, '' for none.

        Raises:
            PluginNotLoggedIn: nobody is signed in, and it is a plug-in that asks.
        """
        if self._for_plugin:
            # What it is about to do begins with a line that names the account.
            self.require()
        return self._config.part("Account").get("Name", "")

    @property
    def resource_group(self) -> str:
        """Name of the resource group that is targeted, '' for none."""
        return self._config.part("ResourceGroup").get("Name", "")

    def require(self) -> None:
        """Do nothing if somebody is signed in.

        Raises:
            NotLoggedIn, PluginNotLoggedIn: nobody is.
        """
        if not self.signed_in:
            raise _refusals().PluginNotLoggedIn if self._for_plugin else _refusals().NotLoggedIn

    def token(self, *, lasting: float = MARGIN) -> str:
        """Return an IAM token that is good for ``lasting`` seconds, renewed if it has to be.

        Raises:
            NotLoggedIn, PluginNotLoggedIn: nobody is signed in.
            SessionEnded: it cannot be renewed.
            CallFailed: the service cannot be asked.
        """
        self.require()
        if self._fresh(lasting):
            return self._config.text("IAMToken")
        return self.renew(lasting=lasting)

    def renew(self, *, force: bool = False, lasting: float = MARGIN) -> str:
        """Renew the token, unless another command did so while we waited for the lock."""
        with locked(self._config.folder / LOCK):
            self._config.reread()
            if not force and self._fresh(lasting):
                return self._config.text("IAMToken")
            return self._renew()

    def _renew(self) -> str:
        from wharfinger_common.clients.errors import Answered, ServiceFailed, TooMany
        from wharfinger_common.clients.identity import TokenExchange

        refresh = self._config.text("IAMRefreshToken")
        if not refresh:
            raise _refusals().SessionEnded
        account = self._config.part("Account").get("GUID", "")
        try:
            tokens = TokenExchange(self._open(self.endpoint)).by_refresh(refresh, account)
        except (ServiceFailed, TooMany):
            raise
        except Answered as refusal:
            raise _refusals().SessionEnded from refusal
        renewed = {"IAMToken": tokens.access, "IAMRefreshToken": tokens.refresh, **self._news()}

        def change(kept: Values) -> None:
            # Whoever signed in or out meanwhile has the last word.
            if kept.get("IAMRefreshToken") == refresh:
                kept.update(renewed)

        self._config.change(change)
        return tokens.access

    def _news(self) -> dict[str, Any]:
        """Return what the service now says of itself, nothing where it does not say."""
        from wharf.endpoints import news
        from wharfinger_common.clients.control import ControlApi
        from wharfinger_common.clients.errors import CallFailed

        try:
            return news(ControlApi(self._open(self.endpoint)).info())
        except CallFailed:
            return {}

    def keep(self, tokens: "Tokens", **more: Any) -> None:
        """Keep the tokens of a sign-in, and what else belongs to it."""
        self._config.set(IAMToken=tokens.access, IAMRefreshToken=tokens.refresh or None, **more)

    def _fresh(self, lasting: float) -> bool:
        return expiry(self._config.text("IAMToken")) - self._clock() > lasting


def expiry(token: str) -> float:
    """Return when a token ends, in Unix seconds, 0 where that cannot be read (RFC 7519)."""
    return float(claims(token).get("exp", 0) or 0)


def claims(token: str) -> dict[str, Any]:
    """Return what a token says; nothing is verified, for that is the service's task."""
    import base64
    import json

    try:
        middle = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _refusals() -> "ModuleType":
    # Imported late, as all that only failures need.
    from wharf import refusals

    return refusals
