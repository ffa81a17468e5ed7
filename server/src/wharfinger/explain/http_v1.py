"""``GET /api/v1/explain/{id}``, with OpenAPI; loaded after the service is ready."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec import to_builtins
from pydantic import BaseModel, Field

from wharfinger.explain.model import Explanation
from wharfinger.explain.service import Explanations
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route
from wharfinger.web.errors import language_of


class RuleView(BaseModel):
    """The rule that answered; only Managers of the account that owns the thing see it."""

    kind: str = Field(description="policy, scope, credential, quota, ...")
    values: dict[str, Any] = Field(description="what the rule compared")
    needed: str = Field(description="what would have allowed the request")


class ExplanationView(BaseModel):
    """Who asked for what, why it was refused, and what to do."""

    request_id: str
    at: str = Field(description="when, RFC 3339 in UTC")
    region: str
    method: str
    path: str
    names: dict[str, str] = Field(description="what the path names")
    subject: str = Field(description="iam_id of who asked; empty where nobody was recognised")
    account: str = Field(description="account that it acted in")
    credential: str = Field(description="id of the API key or other credential, never its secret")
    code: str = Field(pattern="^WHF[0-9]{4}$")
    status: int = Field(description="HTTP status of the answer")
    message: str
    meaning: str
    causes: list[str]
    cure: list[str] = Field(description="what to do now")
    facts: dict[str, Any] = Field(description="what the answer told besides")
    owner: str = Field(description="account that owns the thing; only its Managers see it")
    rule: RuleView | None

    @classmethod
    def of(cls, explanation: Explanation) -> "ExplanationView":
        """Return the view of ``explanation``."""
        return cls.model_validate(to_builtins(explanation))


def router(
    explanations: Explanations, web: Web, gate: Gate, flush: Callable[[], None]
) -> APIRouter:
    """Return the route; ``flush`` writes what this process has not written yet."""
    api = APIRouter(tags=["explain"], route_class=guarded_route(web, gate))

    @api.get("/api/v1/explain/{id}")
    async def explain(request: Request, response: Response, id: str) -> ExplanationView:
        """Explain why a request was refused.

        The id is the X-Request-Id of the refused answer. Who made the request learns its own
        facts; Managers of the account that owns the thing also learn the rule that answered.
        Refusals are kept for some days, and can be asked for a second after the answer.
        """
        language = language_of(request)
        caller = caller_of(request)

        def find() -> Explanation:
            flush()
            return explanations.explain(caller, id, language)

        found = await web.threads.run(find)
        response.headers["Content-Language"] = language.value
        response.headers["Vary"] = "Accept-Language"
        return ExplanationView.of(found)

    return api
