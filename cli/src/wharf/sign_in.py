"""The conversation of ``login``: endpoint, credentials, account, group, region."""

import json
from pathlib import Path
from typing import Any, Final

from wharf.config import Values
from wharf.context import Context
from wharf.endpoints import known_endpoints, normal, region_values, set_endpoint
from wharf.environment import variable
from wharf.refusals import (
    ApiKeyOfOtherAccount,
    CredentialsRejected,
    FileUnreadable,
    NamedNotThere,
)
from wharf.regions import Regions
from wharf.text import Text
from wharfinger_common.clients.errors import Answered, ServiceFailed, TooMany
from wharfinger_common.clients.identity import IdentityApi, TokenExchange, Tokens

TRIES: Final = 3
PASSCODE_PATH: Final = "/identity/passcode"
DEFAULT_GROUP: Final = "default"
MAX_KEY_FILE: Final = 64 * 1024
WRONG_PASSWORD: Final = "BXNIM0602E"  # noqa: S105 - the code of an error


class SignIn:
    """One sign-in; nothing is kept before all of it succeeded, but the endpoint."""

    def __init__(self, context: Context) -> None:
        self._context: Final = context
        self._call: Final = context.call

    def run(self) -> None:
        """Sign in and keep it.

        Raises:
            Failure, CallFailed: it did not come to that.
        """
        context = self._context
        endpoint = self._endpoint()
        exchange = TokenExchange(context.transport(endpoint))
        key = self._api_key()
        tokens = self._tokens(exchange, endpoint, key)
        bearer = IdentityApi(context.transport(endpoint), tokens.access, "").bearer()
        account = self._account(bearer, by_key=bool(key))
        if account and bearer.get("account") != account["id"]:
            tokens = exchange.by_refresh(tokens.refresh, account["id"])
        if account:
            context.say(
                Text("Targeted account {name} ({id})", name=account["name"], id=account["id"])
            )
            context.say()
        group = self._call.text("g") or (DEFAULT_GROUP if account else "")
        if group:
            context.say(Text("Targeted resource group {group}", group=group))
            context.say()
        self._keep(tokens, bearer, account, group, endpoint)

    def _endpoint(self) -> str:
        context = self._context
        told = self._call.text("a")
        skip = True if self._call.on("skip-ssl-validation") else None
        endpoint = normal(told) if told else context.config.text("APIEndpoint")
        if not endpoint:
            endpoint = normal(self._ask_endpoint())
        context.say(Text("API endpoint: {endpoint}", endpoint=endpoint))
        set_endpoint(context, endpoint, skip_ssl=skip)
        return endpoint

    def _ask_endpoint(self) -> str:
        context = self._context
        known = known_endpoints(context.config.values)
        if not known:
            return context.prompts.text(Text("API endpoint"))
        shown = [f"{region} - {url}" if region else url for region, url in known]
        other = context.words(Text("Enter a different API endpoint"))
        index = context.prompts.choose(Text("Select an API endpoint:"), [*shown, other])
        if index is None or index == len(known):
            return context.prompts.text(Text("API endpoint"))
        return known[index][1]

    def _api_key(self) -> str:
        """Return the API key from the flag or the environment, '' for none."""
        told = self._call.text("apikey")
        if not told and not self._call.given("u") and not self._call.on("sso"):
            told = variable(self._context.environ, "API_KEY")
        return _key_in(Path(told[1:]).expanduser()) if told.startswith("@") else told.strip()

    def _tokens(self, exchange: TokenExchange, endpoint: str, key: str) -> Tokens:
        context = self._context
        if key:
            return self._authenticated(lambda: exchange.by_api_key(key), "")
        context.say()
        if self._call.on("sso"):
            question = Text("One Time Code (Get one at {url})", url=endpoint + PASSCODE_PATH)
            code = context.prompts.secret(question).strip()
            return self._authenticated(lambda: exchange.by_passcode(code), "")
        return self._by_password(exchange)

    def _by_password(self, exchange: TokenExchange) -> Tokens:
        context, prompts = self._context, self._context.prompts
        user = self._call.text("u") or self._ask(Text("Email"))
        given = self._call.text("p")
        again = prompts.on_terminal and not given
        for left in range(TRIES - 1 if again else 0, -1, -1):
            password = given or prompts.secret(Text("Password"))
            try:
                return self._authenticated(
                    lambda chosen=password: exchange.by_password(user, chosen),
                    user,
                )
            except CredentialsRejected as refusal:
                if not left:
                    raise
                context.say(context.words.message(refusal))
                context.say()
        raise AssertionError("the last try returns or raises")

    def _ask(self, question: Text) -> str:
        answer = self._context.prompts.text(question).strip()
        self._context.say()
        return answer

    def _authenticated(self, exchange: Any, user: str) -> Tokens:
        context = self._context
        context.say(Text("Authenticating..."))
        try:
            tokens: Tokens = exchange()
        except (ServiceFailed, TooMany):
            raise
        except Answered as refusal:
            text: str = refusal.text
            if refusal.code == WRONG_PASSWORD and user:
                text = Text(
                    "The credentials you entered for the user '{user}' are incorrect", user=user
                )
            raise CredentialsRejected(code=refusal.code, text=text) from refusal
        context.ok()
        context.say()
        return tokens

    def _account(self, bearer: dict[str, Any], *, by_key: bool) -> dict[str, str] | None:
        wanted = self._call.text("c")
        accounts: list[dict[str, str]] = bearer["accounts"]
        if wanted:
            for account in accounts:
                if wanted in {account["id"], account["name"]}:
                    return account
            if by_key and accounts:
                raise ApiKeyOfOtherAccount(account=accounts[0]["id"], wanted=wanted)
            raise NamedNotThere(kind=Text("account"), name=wanted)
        if self._call.on("no-account") or not accounts:
            return None
        if len(accounts) == 1:
            return accounts[0]
        index = self._context.prompts.choose(
            Text("Select an account (or press enter to skip):"),
            [f"{one['name']} ({one['id']})" for one in accounts],
            skip=True,
        )
        return None if index is None else accounts[index]

    def _keep(
        self,
        tokens: Tokens,
        bearer: dict[str, Any],
        account: dict[str, str] | None,
        group: str,
        endpoint: str,
    ) -> None:
        region = None
        if name := self._call.text("r"):
            region = Regions(self._context, endpoint).find(name)
            self._context.say(Text("Targeted region {region}", region=region.name))
            self._context.say()

        def change(kept: Values) -> None:
            kept.update(
                IAMToken=tokens.access,
                IAMRefreshToken=tokens.refresh,
                User=bearer["name"],
                Account=_kept_account(account, bearer),
                ResourceGroup={"Name": group} if group else {},
                Org=self._call.text("o"),
                Space=self._call.text("s"),
            )
            kept.update(region_values(region) if region else {})

        self._context.config.change(change)


def _kept_account(account: dict[str, str] | None, bearer: dict[str, Any]) -> dict[str, str]:
    if account is None:
        return {}
    return {"GUID": account["id"], "Name": account["name"], "Owner": str(bearer["name"])}


def _key_in(path: Path) -> str:
    """Return the API key in a file: the JSON of ``iam api-key-create``, or nothing but the key."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_KEY_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "UTF-8"
        raise FileUnreadable(reason=f"{path}: {reason}") from error
    if not text.startswith("{"):
        return text
    try:
        told = json.loads(text)
        return str(told.get("apikey") or told["apiKey"])
    except (ValueError, KeyError) as error:
        raise FileUnreadable(reason=f"{path}: apikey") from error
