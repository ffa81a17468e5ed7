"""``/api/v1/tokens``: registry tokens, named as the interface of 2018 named them, with OpenAPI.

There a token's description is ``secondary_owner`` and its id ``_id``; wishes for a new one come in
the query. Loaded after readiness.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from wharfinger.identity.http_v1 import MAX_CURSOR, MAX_PAGE, Start
from wharfinger.identity.http_views import Description
from wharfinger.identity.model import StoredToken
from wharfinger.identity.ports import Page
from wharfinger.identity.service.registry_tokens import RegistryTokens
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

Id = Annotated[str, Path(min_length=1, max_length=MAX_CURSOR)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="entries wanted in the page")]


class TokenView(BaseModel):
    """A registry token without its secret."""

    id: str = Field(alias="_id", description="identifier of the token")
    owner: str = Field(description="id of the account that it is for")
    description: str = Field(alias="secondary_owner")
    readonly: bool = Field(description="whether it can pull only")
    revoked: bool = Field(False, description="always false: a revoked token is gone")
    expiry: int = Field(description="when it ends, in Unix seconds; 0 for never")

    @classmethod
    def of(cls, token: StoredToken) -> "TokenView":
        """Return the view of ``token``."""
        return cls.model_validate(_fields(token))


class SecretView(TokenView):
    """A registry token with its secret: the password to the user name ``token``."""

    token: str

    @classmethod
    def shown(cls, token: StoredToken, secret: str) -> "SecretView":
        """Return the view of ``token`` with its secret."""
        return cls.model_validate({**_fields(token), "token": secret})


def _fields(token: StoredToken) -> dict[str, object]:
    return {
        "_id": token.id,
        "owner": token.account,
        "secondary_owner": token.description,
        "readonly": token.read_only,
        "expiry": token.ends,
    }


# The id has another name in the answer than in the paths, so nobody could guess this.
_LINKS: Final[dict[str, Any]] = {
    operation: {"operationId": operation, "parameters": {"id": "$response.body#/_id"}}
    for operation in ("get_token", "delete_token")
}


class TokenPage(BaseModel):
    """Registry tokens of the account in this region."""

    tokens: list[TokenView]
    next: str | None = Field(description="start of the next page, if there may be one")


def router(service: RegistryTokens, web: Web, gate: Gate) -> APIRouter:
    """Return the routes below ``/api/v1/tokens``; ``gate`` tells who calls."""
    api = APIRouter(
        prefix="/api/v1/tokens", tags=["registry tokens"], route_class=guarded_route(web, gate)
    )
    _Endpoints(service, web).mount(api)
    return api


class _Endpoints:
    def __init__(self, service: RegistryTokens, web: Web) -> None:
        self._service: Final = service
        self._run: Final = web.threads.run
        self._most: Final = web.settings.page_entries

    def mount(self, api: APIRouter) -> None:
        add = api.add_api_route
        add("", self.list, methods=["GET"], operation_id="list_tokens")
        add(
            "",
            self.create,
            methods=["POST"],
            operation_id="create_token",
            status_code=201,
            responses={201: {"links": _LINKS}},
        )
        add(
            "",
            self.delete_described,
            methods=["DELETE"],
            operation_id="delete_tokens_by_description",
            status_code=204,
        )
        add("/{id}", self.get, methods=["GET"], operation_id="get_token")
        add("/{id}", self.delete, methods=["DELETE"], operation_id="delete_token", status_code=204)

    async def list(self, request: Request, limit: Limit = MAX_PAGE, start: Start = "") -> TokenPage:
        """List the registry tokens of the account in this region (Manager), without secrets."""
        page = Page(min(limit, self._most), start)
        found = await self._run(self._service.list, caller_of(request), page)
        more = len(found) == page.limit
        views = [TokenView.of(token) for token in found]
        return TokenPage(tokens=views, next=found[-1].id if more else None)

    async def create(
        self,
        request: Request,
        *,
        description: Annotated[Description, Query()] = "",
        permanent: Annotated[bool, Query(description="never ends; else after a day")] = False,
        write: Annotated[bool, Query(description="can push and delete too")] = False,
    ) -> SecretView:
        """Create a registry token (Manager): the password to ``docker login -u token``."""
        made = await self._run(
            self._service.create, caller_of(request), description, write=write, lasting=permanent
        )
        return SecretView.shown(*made)

    async def get(self, request: Request, id: Id) -> SecretView:
        """Show one registry token with its secret (Manager)."""
        return SecretView.shown(*await self._run(self._service.get, caller_of(request), id))

    async def delete(self, request: Request, id: Id) -> None:
        """Revoke a registry token (Manager): it and what was issued on it end."""
        await self._run(self._service.delete, caller_of(request), id)

    async def delete_described(
        self,
        request: Request,
        description: Annotated[Description, Query(alias="secondaryOwner")],
    ) -> None:
        """Revoke all registry tokens of a description (Manager)."""
        await self._run(self._service.delete_described, caller_of(request), description)
