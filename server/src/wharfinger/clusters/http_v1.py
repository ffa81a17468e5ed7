"""``/api/v1/clusters``, the service's own addition, with OpenAPI; loaded after readiness."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from msgspec.structs import asdict
from pydantic import BaseModel, ConfigDict, Field

from wharfinger.clusters import model
from wharfinger.clusters.service import Clusters
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

_SCHEMA: Final[dict[str, Any]] = {
    "minLength": 1,
    "maxLength": model.NAME_CHARACTERS,
    "pattern": model.NAME_PATTERN,
}
ClusterName = Annotated[str, Path(json_schema_extra=_SCHEMA)]
# Described and not checked here: the service says more.
_PLAIN: Final[dict[str, Any]] = {
    "maxLength": model.FACT_CHARACTERS,
    "pattern": model.FACT_PATTERN,
}
Fact = Annotated[str, Field(json_schema_extra=_PLAIN)]


class WorkerView(BaseModel):
    """A worker, in the names that IBM's container service has for its facts."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    id: str = Field(json_schema_extra={**_PLAIN, "minLength": 1})
    public_ip: Fact = Field("", alias="publicIP")
    private_ip: Fact = Field("", alias="privateIP")
    machine_type: Fact = Field("", alias="machineType")
    state: Fact = Field("", description="normal, or deleted for what is not there any more")
    status: Fact = Field("", description="Ready or NotReady")
    zone: Fact = Field("", alias="location")
    version: Fact = Field("", alias="kubeVersion")
    target_version: Fact = Field(
        "", alias="targetVersion", description="the version that it could be brought to"
    )
    pool: Fact = Field("", alias="poolName")
    deletion_reason: Fact = Field("", alias="reasonForDelete")

    @classmethod
    def of(cls, worker: model.Worker) -> "WorkerView":
        """Return the view of ``worker``."""
        return cls(**asdict(worker))

    def worker(self) -> model.Worker:
        """Return what the view is of."""
        return model.Worker(**self.model_dump(by_alias=False))


class ClusterFacts(BaseModel):
    """What a user's own tools say of a cluster."""

    model_config = ConfigDict(extra="forbid")

    id: Fact = Field("", description="the id that the cluster has of itself")
    workers: list[WorkerView]
    deleted: list[WorkerView] = Field([], description="workers that are not there any more")


class ClusterView(BaseModel):
    """A registered cluster."""

    name: str
    id: str = Field(description="the id that the cluster has of itself, '' where nobody said")
    registered: str = Field(description="when its facts were told last; RFC 3339, UTC")
    registered_by: str = Field(description="who told them: e-mail of a user, name of a service id")
    worker_count: int

    @classmethod
    def facts_of(cls, cluster: model.Cluster) -> dict[str, Any]:
        """Return the values of the view of ``cluster``."""
        moment = datetime.fromtimestamp(cluster.registered_at, UTC)
        return {
            "name": cluster.name,
            "id": cluster.facts.ident,
            "registered": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "registered_by": cluster.known_as,
            "worker_count": cluster.count,
        }


class ClusterDetails(ClusterView):
    """A registered cluster with its workers."""

    workers: list[WorkerView]
    deleted: list[WorkerView] = Field(description="workers that are not there any more")


class ClusterAdded(BaseModel):
    """The name of a cluster."""

    name: str


def router(service: Clusters, web: Web, gate: Gate) -> APIRouter:
    """Return the routes below ``/api/v1/clusters``; ``gate`` tells who calls."""
    api = APIRouter(
        prefix="/api/v1/clusters", tags=["clusters"], route_class=guarded_route(web, gate)
    )
    _Endpoints(service, web).mount(api)
    return api


class _Endpoints:
    def __init__(self, service: Clusters, web: Web) -> None:
        self._service: Final = service
        self._run: Final = web.threads.run

    def mount(self, api: APIRouter) -> None:
        # Names of contexts hold slashes, with some providers; here they come encoded or bare.
        path = "/{cluster:path}"
        api.add_api_route("", self.all, methods=["GET"], operation_id="list_clusters")
        api.add_api_route(path, self.one, methods=["GET"], operation_id="get_cluster")
        api.add_api_route(
            path,
            self.register,
            methods=["PUT"],
            operation_id="register_cluster",
            status_code=201,
            response_model=ClusterAdded,
            response_description="The cluster is new",
            responses={200: {"model": ClusterAdded, "description": "It was registered before"}},
        )
        api.add_api_route(
            path, self.remove, methods=["DELETE"], operation_id="remove_cluster", status_code=204
        )

    async def all(self, request: Request) -> list[ClusterView]:
        """List the clusters that the account has registered (any role)."""
        found = await self._run(self._service.list, caller_of(request))
        return [ClusterView(**ClusterView.facts_of(one)) for one in found]

    async def one(self, request: Request, cluster: ClusterName) -> ClusterDetails:
        """Show what was told last of a cluster and its workers (any role)."""
        found = await self._run(self._service.one, caller_of(request), cluster)
        return ClusterDetails(
            **ClusterView.facts_of(found),
            workers=[WorkerView.of(one) for one in found.facts.workers],
            deleted=[WorkerView.of(one) for one in found.facts.deleted],
        )

    async def register(
        self, request: Request, cluster: ClusterName, body: ClusterFacts
    ) -> Response:
        """Tell the facts of a cluster, for everybody in the account (Writer).

        They take the place of what was told before; workers that are missing now are kept as
        deleted. The service itself never calls a cluster.
        """
        facts = model.Facts(
            body.id,
            tuple(one.worker() for one in body.workers),
            tuple(one.worker() for one in body.deleted),
        )
        new = await self._run(self._service.register, caller_of(request), cluster, facts)
        return JSONResponse({"name": cluster}, 201 if new else 200)

    async def remove(self, request: Request, cluster: ClusterName) -> None:
        """Forget a cluster (Writer); nothing happens to the cluster itself."""
        await self._run(self._service.remove, caller_of(request), cluster)
