"""Credentials for container clients, made from the session each time that they are asked for."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from wharf.context import REGISTRY_PLUGIN, Context
from wharf.folder import locked, read_json, write_json
from wharf.refusals import Failure
from wharfinger_common.catalogue import credentials as entries

USER: Final = "iambearer"
LASTING: Final = 1800.0
"""Seconds that a token must still be good for: a push asks for registry tokens until its end."""
SIGN_IN_USERS: Final = frozenset({USER, "iamrefresh"})
"""User names whose secrets are the session itself, so that nothing is lost by not keeping them."""
FILE: Final = "credential-helper.json"
LOCK: Final = ".credential-helper.lock"


class KeepsNoSecrets(Failure):
    """Credentials that are none of the session's."""

    entry = entries.KEEPS_NO_SECRETS
    tells_cure = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs in with; ``server`` is the registry as the client named it."""

    server: str
    username: str
    secret: str


class Helper:
    """Answers for the registries of the service that the session is of, and no others.

    Registries that a client has logged out of are remembered, until it logs in again.
    """

    def __init__(self, context: Context) -> None:
        self._context: Final = context
        self._path: Final = context.config.folder / FILE

    def get(self, server: str) -> Credentials | None:
        """Return a token that lasts for half an hour at least, None for registries not of ours.

        Raises:
            NotLoggedIn, SessionEnded, CallFailed: there is no token to be had.
        """
        session = self._context.session
        host = host_of(server)
        if not session.signed_in or host in self._left() or not self._ours(host):
            return None
        return Credentials(server, USER, session.token(lasting=LASTING))

    def store(self, given: Credentials) -> None:
        """Note that a client logged in; the secret is not kept.

        Raises:
            KeepsNoSecrets: it is another than the session's.
        """
        host = host_of(given.server)
        if given.username not in SIGN_IN_USERS or not self._ours(host):
            raise KeepsNoSecrets(host=host, user=given.username)
        self._leave(host, left=False)

    def erase(self, server: str) -> None:
        """Note that a client logged out."""
        self._leave(host_of(server), left=True)

    def list(self) -> dict[str, str]:
        """Return the registries that there are credentials for, with the user name."""
        if not self._context.session.signed_in:
            return {}
        return dict.fromkeys(sorted(self._near() - self._left()), USER)

    def _ours(self, host: str) -> bool:
        """Tell whether a host is a registry of the service; it is asked only if we do not know."""
        if not host or host in self._near():
            return bool(host)
        from wharfinger_common.clients.control import ControlApi
        from wharfinger_common.clients.errors import CallFailed

        context = self._context
        try:
            told = ControlApi(context.transport(context.session.endpoint)).regions()
        except CallFailed:
            return False
        return any(host in {one["host"], *one.get("hosts", ())} for one in told["regions"])

    def _near(self) -> set[str]:
        """The registries that the configuration names: those that are targeted."""
        chosen = self._context.settings_of(REGISTRY_PLUGIN).get("Registry")
        return {str(each) for each in (self._context.config.text("Registry"), chosen) if each}

    def _left(self) -> set[str]:
        told = read_json(self._path).get("LoggedOut")
        return {str(each) for each in told} if isinstance(told, list) else set()

    def _leave(self, host: str, *, left: bool) -> None:
        with locked(self._path.with_name(LOCK)):
            before = self._left()
            after = before | {host} if left else before - {host}
            if after != before:
                write_json(self._path, {"LoggedOut": sorted(after)})


def host_of(server: str) -> str:
    """Return host and port of what a client calls a registry: a host, or a URL."""
    server = server.strip()
    return urlsplit(server if "://" in server else f"//{server}").netloc
