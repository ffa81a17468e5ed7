"""``/identity/v1``: accounts, users, service ids, API keys and policies, with OpenAPI.

Loaded after the service is ready: FastAPI and pydantic cost more than the rest of a start.
Every call is refused before its body is read unless a valid caller makes it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request

from wharfinger.identity import http_views as views
from wharfinger.identity.ports import Page
from wharfinger.identity.services import IdentityServices
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

PAGE: Final = 100
MAX_PAGE: Final = 100_000
MAX_CURSOR: Final = 128
CURSOR: Final = "^[A-Za-z0-9_-]*$"

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="entries wanted in the page")]
Start = Annotated[
    str, Query(max_length=MAX_CURSOR, pattern=CURSOR, description="next of the page before")
]
Subject = Annotated[
    str | None, Query(max_length=MAX_CURSOR, pattern=CURSOR, description="only of this iam_id")
]
_T = TypeVar("_T")


def router(services: IdentityServices, web: Web, gate: Gate) -> APIRouter:
    """Return the routes below ``/identity/v1``; ``gate`` tells who calls, in which account."""
    api = APIRouter(prefix="/identity/v1", tags=["identity"], route_class=guarded_route(web, gate))
    _Accounts(services, web).mount(api)
    _Users(services, web).mount(api)
    _ServiceIds(services, web).mount(api)
    _ApiKeys(services, web).mount(api)
    _Policies(services, web).mount(api)
    return api


def bearer_router(services: IdentityServices, web: Web, gate: Gate) -> APIRouter:
    """Return the one route that needs no Account header: it tells which accounts there are."""
    api = APIRouter(tags=["identity"])

    # The one call in no account: a token alone is asked who it is of.
    @api.get(
        "/identity/v1/userinfo",
        operation_id="get_userinfo",
        openapi_extra={"security": [{"iam": []}]},
    )
    async def userinfo(request: Request) -> views.BearerView:
        """Tell who the bearer of the token is; needs no Account header."""
        claims = await gate.iam_claims(request)
        return views.BearerView.of(await web.threads.run(services.whoami.bearer, claims))

    return api


class _Endpoints:
    """What the groups of endpoints share: each endpoint calls one service method in a thread."""

    def __init__(self, services: IdentityServices, web: Web) -> None:
        self._services: Final = services
        self._run: Final = web.threads.run
        self._most: Final = web.settings.page_entries
        self._address: Final = web.urls.client_address

    def _page(self, limit: int, start: str) -> Page:
        return Page(min(limit, self._most), start)


def _next(entries: Sequence[_T], page: Page, key: Callable[[_T], str]) -> dict[str, Any]:
    more = len(entries) == page.limit
    return {"limit": page.limit, "next": key(entries[-1]) if more else None}


class _Accounts(_Endpoints):
    def mount(self, api: APIRouter) -> None:
        api.add_api_route("/accounts", self.create, methods=["POST"], status_code=201)
        api.add_api_route("/accounts", self.list, methods=["GET"])
        api.add_api_route("/accounts/{id}", self.get, methods=["GET"])

    async def create(self, request: Request, body: views.NewAccount) -> views.AccountView:
        """Create an account (operators); the owner, where one is named, becomes its Manager."""
        account = await self._run(
            self._services.administration.create_account,
            caller_of(request),
            body.name,
            plan=body.plan,
            owner_email=body.owner_email,
            owner_password=body.owner_password,
        )
        return views.AccountView.of(account)

    async def list(
        self, request: Request, limit: Limit = PAGE, start: Start = ""
    ) -> views.AccountPage:
        """List all accounts (operators), or the one of the call."""
        page = self._page(limit, start)
        accounts = self._services.administration.accounts
        found = await self._run(accounts, caller_of(request), page)
        return views.AccountPage(
            accounts=[views.AccountView.of(account) for account in found],
            **_next(found, page, lambda account: account.id),
        )

    async def get(self, request: Request, id: str) -> views.AccountView:
        """Show one account."""
        account = self._services.administration.account
        return views.AccountView.of(await self._run(account, caller_of(request), id))


class _Users(_Endpoints):
    def mount(self, api: APIRouter) -> None:
        api.add_api_route("/users", self.create, methods=["POST"], status_code=201)
        api.add_api_route("/users", self.list, methods=["GET"])
        api.add_api_route("/users/{id}", self.get, methods=["GET"])
        api.add_api_route("/users/{id}", self.delete, methods=["DELETE"], status_code=204)
        api.add_api_route("/password", self.change_password, methods=["PUT"], status_code=204)

    async def create(self, request: Request, body: views.NewUser) -> views.UserView:
        """Add a user to the account (Managers)."""
        user = await self._run(
            self._services.people.add_user, caller_of(request), body.email, body.password, body.role
        )
        return views.UserView.of(user)

    async def list(
        self, request: Request, limit: Limit = PAGE, start: Start = ""
    ) -> views.UserPage:
        """List the users of the account (Managers)."""
        page = self._page(limit, start)
        found = await self._run(self._services.people.users, caller_of(request), page)
        return views.UserPage(
            users=[views.UserView.of(user) for user in found],
            **_next(found, page, lambda user: user.iam_id),
        )

    async def get(self, request: Request, id: str) -> views.UserView:
        """Show one user of the account (Managers)."""
        return views.UserView.of(
            await self._run(self._services.people.user, caller_of(request), id)
        )

    async def delete(self, request: Request, id: str) -> None:
        """Remove a user from the account, with its policies and API keys there (Managers)."""
        await self._run(self._services.people.remove_user, caller_of(request), id)

    async def change_password(self, request: Request, body: views.NewPassword) -> None:
        """Give the caller another password; what was signed in with the old one ends."""
        await self._run(
            self._services.own_passwords.change,
            caller_of(request),
            body.current_password,
            body.password,
            self._address(request),
        )


class _ServiceIds(_Endpoints):
    def mount(self, api: APIRouter) -> None:
        api.add_api_route("/serviceids", self.create, methods=["POST"], status_code=201)
        api.add_api_route("/serviceids", self.list, methods=["GET"])
        api.add_api_route("/serviceids/{id}", self.get, methods=["GET"])
        api.add_api_route("/serviceids/{id}", self.delete, methods=["DELETE"], status_code=204)

    async def create(self, request: Request, body: views.NewServiceId) -> views.ServiceIdView:
        """Create a service id (Managers)."""
        made = await self._run(
            self._services.people.create_service_id, caller_of(request), body.name, body.description
        )
        return views.ServiceIdView.of(made)

    async def list(
        self, request: Request, limit: Limit = PAGE, start: Start = ""
    ) -> views.ServiceIdPage:
        """List the service ids of the account (Managers)."""
        page = self._page(limit, start)
        found = await self._run(self._services.people.service_ids, caller_of(request), page)
        return views.ServiceIdPage(
            serviceids=[views.ServiceIdView.of(service_id) for service_id in found],
            **_next(found, page, lambda service_id: service_id.iam_id),
        )

    async def get(self, request: Request, id: str) -> views.ServiceIdView:
        """Show one service id (Managers)."""
        return views.ServiceIdView.of(
            await self._run(self._services.people.service_id, caller_of(request), id)
        )

    async def delete(self, request: Request, id: str) -> None:
        """Remove a service id with its policies and API keys (Managers)."""
        await self._run(self._services.people.remove_service_id, caller_of(request), id)


class _ApiKeys(_Endpoints):
    def mount(self, api: APIRouter) -> None:
        api.add_api_route("/apikeys", self.create, methods=["POST"], status_code=201)
        api.add_api_route("/apikeys", self.list, methods=["GET"])
        api.add_api_route("/apikeys/{id}", self.get, methods=["GET"])
        api.add_api_route("/apikeys/{id}", self.delete, methods=["DELETE"], status_code=204)

    async def create(self, request: Request, body: views.NewApiKey) -> views.NewApiKeyView:
        """Create an API key, one's own or (Managers) another's; its secret is shown this once."""
        key, secret = await self._run(
            self._services.api_keys.create,
            caller_of(request),
            body.name,
            body.description,
            body.iam_id,
        )
        return views.NewApiKeyView.made(key, secret)

    async def list(
        self, request: Request, limit: Limit = PAGE, start: Start = "", iam_id: Subject = None
    ) -> views.ApiKeyPage:
        """List the API keys of the account (Managers), or one's own."""
        page = self._page(limit, start)
        found = await self._run(self._services.api_keys.list, caller_of(request), page, iam_id)
        return views.ApiKeyPage(
            apikeys=[views.ApiKeyView.of(key) for key in found],
            **_next(found, page, lambda key: key.id),
        )

    async def get(self, request: Request, id: str) -> views.ApiKeyView:
        """Show one API key, without its secret."""
        key = await self._run(self._services.api_keys.get, caller_of(request), id)
        return views.ApiKeyView.of(key)

    async def delete(self, request: Request, id: str) -> None:
        """Revoke an API key, one's own or (Managers) another's."""
        await self._run(self._services.api_keys.delete, caller_of(request), id)


class _Policies(_Endpoints):
    def mount(self, api: APIRouter) -> None:
        api.add_api_route("/policies", self.create, methods=["POST"], status_code=201)
        api.add_api_route("/policies", self.list, methods=["GET"])
        api.add_api_route("/policies/{id}", self.get, methods=["GET"])
        api.add_api_route("/policies/{id}", self.delete, methods=["DELETE"], status_code=204)

    async def create(self, request: Request, body: views.NewPolicy) -> views.PolicyView:
        """Give a role (Managers); Reader for ``anonymous`` makes a namespace public."""
        policy = await self._run(
            self._services.policies.create,
            caller_of(request),
            body.iam_id,
            body.role,
            body.namespace,
        )
        return views.PolicyView.of(policy)

    async def list(
        self, request: Request, limit: Limit = PAGE, start: Start = "", iam_id: Subject = None
    ) -> views.PolicyPage:
        """List the policies of the account (Managers)."""
        page = self._page(limit, start)
        found = await self._run(self._services.policies.list, caller_of(request), page, iam_id)
        return views.PolicyPage(
            policies=[views.PolicyView.of(policy) for policy in found],
            **_next(found, page, lambda policy: policy.id),
        )

    async def get(self, request: Request, id: str) -> views.PolicyView:
        """Show one policy (Managers)."""
        policy = await self._run(self._services.policies.get, caller_of(request), id)
        return views.PolicyView.of(policy)

    async def delete(self, request: Request, id: str) -> None:
        """Take a role away (Managers); registry tokens that hold it end."""
        await self._run(self._services.policies.delete, caller_of(request), id)
