"""``/api/v1/namespaces`` (control API, section 2), with OpenAPI; loaded after readiness."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from wharfinger.namespaces import model
from wharfinger.namespaces.service import Namespaces
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

GROUP_HEADER: Final = "X-Auth-Resource-Group"


class NamespaceView(BaseModel):
    """A namespace by its name."""

    namespace: str = Field(description="name of the namespace")


class NamespaceDetails(BaseModel):
    """What is known of a namespace; the last three are left out outside a resource group."""

    name: str
    account: str = Field(description="id of the account that owns it")
    created_date: str = Field(description="RFC 3339, UTC")
    updated_date: str = Field(description="RFC 3339, UTC")
    crn: str | None = Field(None, description="cloud resource name")
    resource_group: str | None = Field(None, description="id of the resource group")
    resource_created_date: str | None = Field(None, description="RFC 3339, UTC: when grouped")

    @classmethod
    def of(cls, namespace: model.Namespace) -> "NamespaceDetails":
        """Return the view of ``namespace``."""
        grouped = bool(namespace.resource_group)
        return cls(
            name=namespace.name,
            account=namespace.account,
            created_date=_rfc3339(namespace.created_at),
            updated_date=_rfc3339(namespace.updated_at),
            crn=namespace.crn if grouped else None,
            resource_group=namespace.resource_group if grouped else None,
            resource_created_date=_rfc3339(namespace.updated_at) if grouped else None,
        )


def router(service: Namespaces, web: Web, gate: Gate) -> APIRouter:
    """Return the routes below ``/api/v1/namespaces``; ``gate`` tells who calls."""
    api = APIRouter(
        prefix="/api/v1/namespaces", tags=["namespaces"], route_class=guarded_route(web, gate)
    )
    name = Annotated[
        str, Path(json_schema_extra=_name_schema(hyphens=web.settings.namespace_hyphens))
    ]
    _Lists(service, web).mount(api)
    _Writes(service, web).mount(api, name)
    return api


class _Lists:
    def __init__(self, service: Namespaces, web: Web) -> None:
        self._service: Final = service
        self._run: Final = web.threads.run

    def mount(self, api: APIRouter) -> None:
        api.add_api_route("", self.names, methods=["GET"], operation_id="list_namespaces")
        api.add_api_route(
            "/details",
            self.details,
            methods=["GET"],
            operation_id="list_namespace_details",
            response_model_exclude_none=True,
        )

    async def names(self, request: Request) -> list[str]:
        """List the names of the account's namespaces (Reader)."""
        found = await self._run(self._service.list, caller_of(request))
        return [namespace.name for namespace in found]

    async def details(self, request: Request) -> list[NamespaceDetails]:
        """List the account's namespaces with what is known of each (Reader)."""
        found = await self._run(self._service.list, caller_of(request))
        return [NamespaceDetails.of(namespace) for namespace in found]


class _Writes:
    def __init__(self, service: Namespaces, web: Web) -> None:
        self._service: Final = service
        self._run: Final = web.threads.run

    def mount(self, api: APIRouter, name: Any) -> None:
        """Register the routes; ``name`` annotates the path's variable."""
        service, run = self._service, self._run
        # Whatever stands there is the name, also with slashes or empty: the service says why not.
        path = "/{name:path}"

        async def add(request: Request, name: name) -> Response:
            """Add a namespace to the account (Manager), or find that it has it already."""
            group = request.headers.get(GROUP_HEADER)
            added = await run(service.add, caller_of(request), name, group)
            return JSONResponse({"namespace": added.namespace.name}, 201 if added.new else 200)

        async def assign(request: Request, name: name) -> NamespaceView:
            """Assign a namespace to a resource group (Manager), once and for all."""
            group = request.headers.get(GROUP_HEADER, "")
            await run(service.assign, caller_of(request), name, group)
            return NamespaceView(namespace=name)

        async def remove(request: Request, name: name) -> None:
            """Delete a namespace with all in it (Manager); the name is free once that is gone."""
            await run(service.remove, caller_of(request), name)

        api.add_api_route(
            path,
            add,
            methods=["PUT"],
            operation_id="add_namespace",
            status_code=201,
            response_model=NamespaceView,
            response_description="The namespace is new",
            responses={200: {"model": NamespaceView, "description": "The account had it already"}},
            openapi_extra={"parameters": [_group_header(required=False)]},
        )
        api.add_api_route(
            path,
            assign,
            methods=["PATCH"],
            operation_id="assign_namespace",
            openapi_extra={"parameters": [_group_header(required=True)]},
        )
        api.add_api_route(
            path,
            remove,
            methods=["DELETE"],
            operation_id="remove_namespace",
            status_code=204,
        )


def _name_schema(*, hyphens: bool) -> dict[str, Any]:
    """Describe the rule without letting the framework check it: the service says more."""
    return {
        "minLength": model.MIN_CHARACTERS,
        "maxLength": model.MAX_CHARACTERS,
        "pattern": model.name_pattern(hyphens=hyphens),
    }


def _group_header(*, required: bool) -> dict[str, Any]:
    return {
        "name": GROUP_HEADER,
        "in": "header",
        "required": required,
        "description": "id of the resource group; without one the namespace is in none",
        "schema": {"type": "string", "pattern": f"^{model.RESOURCE_GROUP.pattern}$"},
    }


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
