"""Client of the identity API: the token exchange, and accounts with all that is in them.

Interface: `/api/v1/openapi.json` of a service; the exchange as in control API, section 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from wharfinger_common.clients.errors import AnswerUnusable
from wharfinger_common.clients.transport import Transport, segment

# Public, as the user name of an anonymous sign-in is: it tells which program asks.
CLIENT: Final = "Basic Yng6Yng="
GRANT_API_KEY: Final = "urn:ibm:params:oauth:grant-type:apikey"
GRANT_PASSCODE: Final = "urn:ibm:params:oauth:grant-type:passcode"
PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Tokens:
    """An IAM token with its end in Unix seconds, and the token that renews it ('' for none)."""

    access: str
    refresh: str
    expires: int


class TokenExchange:
    """``POST /identity/token``; ``account`` binds the token to an account."""

    def __init__(self, transport: Transport) -> None:
        self._transport: Final = transport

    def by_api_key(self, key: str, account: str = "") -> Tokens:
        """Sign in with an API key."""
        return self._exchange(account, grant_type=GRANT_API_KEY, apikey=key)

    def by_password(self, username: str, password: str, account: str = "") -> Tokens:
        """Sign in with a user's password."""
        return self._exchange(account, grant_type="password", username=username, password=password)

    def by_passcode(self, passcode: str, account: str = "") -> Tokens:
        """Sign in with a one-time passcode."""
        return self._exchange(account, grant_type=GRANT_PASSCODE, passcode=passcode)

    def by_refresh(self, refresh: str, account: str = "") -> Tokens:
        """Renew a token, or bind it to another account."""
        return self._exchange(account, grant_type="refresh_token", refresh_token=refresh)

    def _exchange(self, account: str, **form: str) -> Tokens:
        form["response_type"] = "cloud_iam"
        if account:
            form["bss_account"] = account
        headers = {"Authorization": CLIENT}
        answer = self._transport.call("POST", "/identity/token", form=form, headers=headers)
        told = answer.json(self._transport.host)
        try:
            refresh = str(told.get("refresh_token", ""))
            return Tokens(
                str(told["access_token"]),
                "" if refresh == "not_supported" else refresh,
                int(told["expiration"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise AnswerUnusable(host=self._transport.host, reason="no token") from error


class IdentityApi:
    """``/identity/v1``, as the holder of ``token`` in ``account``."""

    def __init__(self, transport: Transport, token: str, account: str) -> None:
        self._transport: Final = transport
        self._headers: Final = {
            "Authorization": f"Bearer {token}",
            **({"Account": account} if account else {}),
        }

    def list(self, kind: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield every entry of a kind: accounts, users, serviceids, apikeys, policies."""
        start = ""
        while True:
            asked = {**query, "limit": PAGE, "start": start or None}
            page = self._call("GET", f"/{kind}", query=asked)
            yield from page[kind]
            start = page.get("next") or ""
            if not start:
                return

    def bearer(self) -> dict[str, Any]:
        """Return who holds the token, and the accounts that a token could be bound to."""
        return dict(self._call("GET", "/userinfo"))

    def get(self, kind: str, ident: str) -> dict[str, Any]:
        """Return one entry."""
        return dict(self._call("GET", f"/{kind}/{segment(ident)}"))

    def create(self, kind: str, **body: Any) -> dict[str, Any]:
        """Create an entry and return it."""
        return dict(self._call("POST", f"/{kind}", body=body))

    def delete(self, kind: str, ident: str) -> None:
        """Delete an entry."""
        self._call("DELETE", f"/{kind}/{segment(ident)}")

    def _call(self, method: str, path: str, **more: Any) -> Any:
        answer = self._transport.call(method, f"/identity/v1{path}", headers=self._headers, **more)
        return answer.json(self._transport.host)
