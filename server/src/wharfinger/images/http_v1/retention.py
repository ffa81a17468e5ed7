"""Retention policies over HTTP."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, field_validator

from wharfinger.images.http_v1.bodies import Body, Whole
from wharfinger.images.http_v1.names import Names
from wharfinger.images.model.retention import ALL, Policy
from wharfinger.images.service.retention import Retention
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of
from wharfinger.web.wrong_input import Wrong
from wharfinger_common.languages import Text

MOST: Final = 1_000_000
MOST_DAYS: Final = 36_500


class PolicyBody(Body):
    """What a namespace is to keep in each repository."""

    namespace: str = Field(max_length=255, pattern="^[^\\x00]*$")
    images_per_repo: Whole = Field(
        ALL,
        ge=ALL,
        le=MOST,
        description="images kept, the newest by date; -1 for all",
        json_schema_extra={"not": {"const": 0}},
    )
    retain_untagged: bool = Field(False, description="keep untagged images, beside the others")
    deletion_threshold_days: Whole = Field(
        0, ge=0, le=MOST_DAYS, description="days that an image must be old to be deleted"
    )

    @field_validator("images_per_repo")
    @classmethod
    def some_or_all(cls, value: int) -> int:
        """Refuse a policy that would keep nothing: it reads like one that keeps everything."""
        if value == 0:
            raise Wrong(Text("it must be -1 or more than 0"))
        return value

    def policy(self) -> Policy:
        """Return the policy."""
        return Policy(
            self.namespace,
            "",
            self.images_per_repo,
            self.retain_untagged,
            self.deletion_threshold_days,
        )


class PolicyView(BaseModel):
    """The policy of a namespace; one without any keeps everything."""

    namespace: str
    account: str
    images_per_repo: int = Field(description="images kept in each repository; -1 for all")
    retain_untagged: bool
    deletion_threshold_days: int

    @classmethod
    def of(cls, policy: Policy) -> "PolicyView":
        """Return the view of ``policy``."""
        return cls(
            namespace=policy.namespace,
            account=policy.account,
            images_per_repo=policy.images_per_repo,
            retain_untagged=policy.retain_untagged,
            deletion_threshold_days=policy.deletion_threshold_days,
        )


class RetentionRoutes:
    """``/retentions`` and below."""

    def __init__(self, retention: Retention, web: Web, names: Names) -> None:
        self._retention: Final = retention
        self._run: Final = web.threads.run
        self._names: Final = names

    def mount(self, api: APIRouter) -> None:
        """Register the routes."""
        for path, endpoint, method, name, more in (
            ("/retentions", self.policies, "GET", "list_retention_policies", {}),
            (
                "/retentions",
                self.set,
                "POST",
                "set_retention_policy",
                {"response_class": Response},
            ),
            ("/retentions/analyze", self.analyze, "POST", "analyze_retention_policy", {}),
            ("/retentions/{namespace}", self.get, "GET", "get_retention_policy", {}),
        ):
            options: dict[str, Any] = dict(more)
            api.add_api_route(path, endpoint, methods=[method], operation_id=name, **options)

    async def policies(self, request: Request) -> dict[str, PolicyView]:
        """List the policies of all namespaces (Reader)."""
        found = await self._run(self._retention.list, caller_of(request))
        return {namespace: PolicyView.of(policy) for namespace, policy in found.items()}

    async def get(self, request: Request, namespace: str) -> PolicyView:
        """Show the policy of a namespace (Reader)."""
        found = await self._run(self._retention.get, caller_of(request), namespace)
        return PolicyView.of(found)

    async def set(self, request: Request, body: PolicyBody) -> Response:
        """Set the policy of a namespace (Writer); it runs right afterwards, and then daily."""
        await self._run(self._retention.set, caller_of(request), body.policy())
        return Response(status_code=200)

    async def analyze(self, request: Request, body: PolicyBody) -> dict[str, list[str]]:
        """Show which images a policy would delete, with their tags (Reader)."""
        found = await self._run(self._retention.analyze, caller_of(request), body.policy())
        hosts = self._names.hosts(request)
        return {
            hosts.digested(hosts.region, repository, digest): [
                hosts.tagged(hosts.region, repository, tag) for tag in tags
            ]
            for (repository, digest), tags in found.items()
        }
